import type { TaskStore } from '../store/task-store.js';
import { below, INTERNAL, taskId } from './names.js';
import type { Plan } from './plan.js';
import { planOf } from './planner.js';

/** Where a path of a run leads. */
export interface Place {
  /** Of the run itself, or of a run that was spawned in it. */
  readonly plan: Plan;
  /** The path of that run; empty: the run itself. */
  readonly base: string;
  /** The path within that. */
  readonly path: string;
}

const SPAWNED = `/${INTERNAL.spawned}/`;

/**
 * The plans of a run and of those that were spawned in it, as deep as the paths go that it was read for. A spawned run
 * whose graph, in its version and shape, is none of those that its node spawns has no plan: paths below it lead to
 * what spawned it.
 */
export class RunPlans {
  readonly #own: Plan;
  /** By base; null: not known. */
  readonly #spawned = new Map<string, Plan | null>();

  private constructor(own: Plan) {
    this.#own = own;
  }

  /** One query for each level of runs within runs that the paths lead to. */
  static async read(
    store: Pick<TaskStore, 'getTasks'>,
    own: Plan,
    run: string,
    paths: readonly string[],
  ): Promise<RunPlans> {
    const plans = new RunPlans(own);
    for (;;) {
      const unread = new Map(
        paths.map((path) => plans.#unreadOn(path)).filter((one) => one !== null),
      );
      if (unread.size === 0) return plans;
      const tasks = await store.getTasks(Array.from(unread.keys(), (base) => taskId(run, base)));
      const actions = new Map(tasks.map(({ id, action }) => [id, action]));
      for (const [base, candidates] of unread) {
        const action = actions.get(taskId(run, base));
        const plan = candidates.find((one) => one.tasks.get('')?.action === action);
        plans.#spawned.set(base, plan ?? null);
      }
    }
  }

  /** In the innermost run that has a plan. */
  locate(path: string): Place {
    let innermost: Place = { plan: this.#own, base: '', path };
    for (const place of this.way(path)) innermost = place;
    return innermost;
  }

  /** The same path in each of the runs within runs that it leads through. */
  *way(path: string): Generator<Place, void> {
    let place: Place | null = { plan: this.#own, base: '', path };
    while (place) {
      yield place;
      const spawned = spawnedOn(place);
      const plan = spawned && this.#spawned.get(spawned.base);
      place = plan ? { plan, base: spawned.base, path: spawned.path } : null;
    }
  }

  /** The first spawned run on the way whose plan was not looked for, with the plans that it may have. */
  #unreadOn(path: string): [base: string, candidates: readonly Plan[]] | null {
    const place = this.locate(path);
    const spawned = spawnedOn(place);
    if (!spawned || this.#spawned.has(spawned.base)) return null;
    const node = place.plan.nodes.get(spawned.node);
    const spawns = node?.kind === 'task' || node?.kind === 'map' ? node.spawns : null;
    return [spawned.base, spawns?.graphs().map(planOf) ?? []];
  }
}

/** What a place lies in that its plan does not know of: the node that spawned it, the run, and the path within that. */
export function spawnedOn({ plan, base, path }: Place): {
  readonly node: string;
  /** Of an item of a map: its place. */
  readonly item: string | null;
  readonly base: string;
  readonly path: string;
} | null {
  const at = path.indexOf(SPAWNED);
  if (at < 0) return null;
  const node = path.slice(0, at);
  const isMap = plan.zips.has(node);
  const parts = path.slice(at + SPAWNED.length).split('/');
  const end = isMap ? 2 : 1;
  return {
    node,
    item: isMap ? (parts[0] ?? null) : null,
    base: below(base, node + SPAWNED + parts.slice(0, end).join('/')),
    path: parts.slice(end).join('/'),
  };
}

/** The node whose end waits for a spawned run. */
export function spawnerOf(base: string): string {
  return base.slice(0, base.lastIndexOf(SPAWNED));
}
