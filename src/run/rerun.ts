import { FAILURES, isFailure } from '../store/status-code.js';
import type { TaskStore } from '../store/task-store.js';
import { BY_PATH, below, INTERNAL, taskId } from './names.js';
import type { Plan } from './plan.js';
import { UnknownNodeError } from './run-errors.js';
import { type Place, RunPlans, spawnedOn, spawnerOf } from './run-plans.js';

export interface RerunOptions {
  /**
   * `'failed'`: what failed or was cancelled. Else nodes, items of maps, runs that were spawned, and what is in these:
   * `['load', 'each/3', 'sub/verdict', 'crawl/~spawned/7', 'crawl/~spawned/8/fetch']`.
   */
  readonly from: 'failed' | readonly string[];
  /** Only say what would be done. Default false. */
  readonly preview?: boolean;
}

export interface RerunPreview {
  /**
   * Nodes, and items of maps whose other items are kept, that run again; a map that is made anew by its name alone. Of spawned
   * runs that go on those too, by their paths.
   */
  readonly reruns: readonly string[];
  /** Nodes whose results are kept; not those of spawned runs. */
  readonly keeps: readonly string[];
}

/**
 * Reruns by way of the store: roots, and what they signal, become pending in one statement. What was inserted under way
 * is not of that kind: an expander that runs again deletes its items, and inserts them anew, as a handler does with the runs
 * that it spawned. See perform-map.ts and perform-spawn.ts.
 */
export async function rerun(
  store: TaskStore,
  plan: Plan,
  run: string,
  { from, preview = false }: RerunOptions,
): Promise<RerunPreview> {
  const paths = from === 'failed' ? await failedPaths(store, run) : from;
  const plans = await RunPlans.read(store, plan, run, paths);
  const named = paths.flatMap((path) =>
    from === 'failed'
      ? beginningOf(plans.locate(path))
      : beginningsOf(plans.locate(path), run, path),
  );
  const { roots, reached } = closure(plans, named);
  const report = toPreview(plan, plans, reached);
  if (preview || roots.length === 0) return report;
  const ids = roots.map((path) => taskId(run, path));
  await store.rerunTasks(ids, { downstream: true });
  return report;
}

async function failedPaths(store: TaskStore, run: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { id } of store.listTasks({ idPrefix: `${run}/`, statusCodes: FAILURES })) {
    paths.push(id.slice(run.length + 1));
  }
  const [own] = await store.getOutcomes([run], { results: false });
  if (own && isFailure(own)) paths.push('');
  return paths;
}

/** What was inserted under way is made anew by what made it; an event that failed waits again from its gate on. */
function beginningOf(place: Place): string {
  const { plan, base, path } = place;
  const spawning = spawningPath(place);
  if (spawning !== null) return spawning;
  const [parent, name] = split(path);
  if (name === INTERNAL.open) return below(base, mapStart(plan, parent));
  const isOfEvent = name === INTERNAL.timeout || name === INTERNAL.skipped;
  if (isOfEvent) return below(base, below(parent, INTERNAL.gate));
  return below(base, plan.nodes.get(path)?.kind === 'event' ? below(path, INTERNAL.gate) : path);
}

/** Where the work of a node, or of a spawned run, begins; an item is its own beginning. */
function beginningsOf({ plan, base, path }: Place, run: string, name: string): string[] {
  const kind = plan.nodes.get(path)?.kind;
  if (kind === 'map') return [below(base, mapStart(plan, path))];
  if (kind === 'task') return [below(base, taskStart(plan, path))];
  if (kind === 'graph') return [below(base, below(path, INTERNAL.input))];
  if (kind === 'event') return [below(base, below(path, INTERNAL.gate))];
  if (kind === 'sleep' || isItem(plan, path)) return [below(base, path)];
  if (base === '' || path !== '') throw new UnknownNodeError(run, name, 'node');
  return [...plan.tasks.values()].flatMap((task) =>
    task.hasDependencies ? [] : [below(base, task.path)],
  );
}

/** What makes a spawned run of which nothing more is known anew: the task that spawned it, or the item. */
function spawningPath(place: Place): string | null {
  const spawned = spawnedOn(place);
  if (!spawned) return null;
  const { node, item } = spawned;
  return below(place.base, item === null ? taskStart(place.plan, node) : below(node, item));
}

function taskStart(plan: Plan, path: string): string {
  const work = below(path, INTERNAL.work);
  return plan.tasks.has(work) ? work : path;
}

function mapStart(plan: Plan, path: string): string {
  return below(plan.zips.get(path)?.root ?? path, INTERNAL.items);
}

function isItem(plan: Plan, path: string): boolean {
  const [map, index] = split(path);
  return plan.zips.has(map) && /^(0|[1-9]\d*)$/.test(index);
}

function split(path: string): [parent: string, name: string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, Math.max(at, 0)), path.slice(at + 1)];
}

/** All that runs again, and of it what nothing else brings about. */
function closure(
  plans: RunPlans,
  named: readonly string[],
): { roots: string[]; reached: ReadonlySet<string> } {
  const roots = new Set(named);
  const reached = new Set<string>();
  const queue = [...named];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    const place = plans.locate(path);
    queue.push(...targetsOf(place));
    const root = expanderOfGate(place);
    if (root === null) continue;
    roots.add(root);
    queue.push(root);
  }
  const isKept = (path: string) => !isSpawnedAnew(plans, path, reached);
  return { roots: [...roots].filter(isKept), reached: new Set([...reached].filter(isKept)) };
}

function targetsOf({ plan, base, path }: Place): string[] {
  const planned = plan.tasks.get(path);
  if (planned) {
    const targets = Array.from(planned.targets, (target) => below(base, target));
    return base !== '' && path === '' ? [spawnerOf(base), ...targets] : targets;
  }
  const [map, index] = split(path);
  const following = [...plan.zips.values()].filter(({ over }) => over === map);
  return [map, ...following.map((zip) => `${zip.path}/${index}`)].map((one) => below(base, one));
}

/** Items that waited for a gate have begun: they can wait for it again only if they are made anew. */
function expanderOfGate({ plan, base, path }: Place): string | null {
  const [map, name] = split(path);
  const zip = name === INTERNAL.gate ? plan.zips.get(map) : undefined;
  return zip ? below(base, below(zip.root, INTERNAL.items)) : null;
}

/** It lies in a spawned run that will be deleted, as what spawned it runs again. */
function isSpawnedAnew(plans: RunPlans, path: string, reached: ReadonlySet<string>): boolean {
  for (const place of plans.way(path)) {
    const node = spawnedOn(place)?.node;
    if (node === undefined) return false;
    const makers = [spawningPath(place), below(place.base, mapStart(place.plan, node))];
    if (makers.some((maker) => maker !== null && reached.has(maker))) return true;
  }
  return false;
}

function toPreview(plan: Plan, plans: RunPlans, reached: ReadonlySet<string>): RerunPreview {
  const places = new Map<string, Place[]>();
  for (const path of reached) {
    const place = plans.locate(path);
    const others = places.get(place.base);
    if (others) others.push(place);
    else places.set(place.base, [place]);
  }
  const bases = [...places.keys()].sort(BY_PATH.compare);
  return {
    reruns: bases.flatMap((base) => [
      ...(base === '' ? [] : [base]),
      ...shownOf(places.get(base) ?? [], reached),
    ]),
    keeps: [...plan.nodes.keys()].filter((path) => !reached.has(path)),
  };
}

/** Of places in one run. */
function shownOf(places: readonly Place[], reached: ReadonlySet<string>): string[] {
  const [first] = places;
  if (!first) return [];
  const { plan, base } = first;
  const isMadeAnew = (map: string) => reached.has(below(base, mapStart(plan, map)));
  const items = places
    .filter(({ path }) => isItem(plan, path) && !isMadeAnew(split(path)[0]))
    .map(({ path }) => split(path))
    .sort(([a, i], [b, k]) => (a === b ? Number(i) - Number(k) : BY_PATH.compare(a, b)));
  const nodes = [...plan.nodes.keys()].map((path) => below(base, path));
  return [
    ...nodes.filter((path) => reached.has(path)),
    ...items.map(([map, place]) => below(base, `${map}/${place}`)),
  ];
}
