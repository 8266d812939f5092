import type { StatusCode, TaskStore } from '../store/task-store.js';
import { below, INTERNAL, isInternal, taskId } from './names.js';
import type { Plan } from './plan.js';
import { UnknownNodeError } from './run-errors.js';

export interface RerunOptions {
  /** `'failed'`: what failed or was cancelled. Else nodes, or items of maps: `['load', 'each/3', 'sub/verdict']`. */
  readonly from: 'failed' | readonly string[];
  /** Only say what would be done. Default false. */
  readonly preview?: boolean;
}

export interface RerunPreview {
  /** Nodes, and items of maps whose other items are kept, that run again; a map that is made anew by its name alone. */
  readonly reruns: readonly string[];
  /** Nodes whose results are kept. */
  readonly keeps: readonly string[];
}

const FAILED: StatusCode[] = ['aborted', 'cancelled'];
const SPAWNED = `/${INTERNAL.spawned}/`;

/**
 * Reruns by way of the store: roots, and what they signal, become pending in one statement. What was inserted under way
 * is not of that kind: an expander that runs again deletes its items, and inserts them anew. See perform-map.ts.
 */
export async function rerun(
  store: TaskStore,
  plan: Plan,
  run: string,
  { from, preview = false }: RerunOptions,
): Promise<RerunPreview> {
  const named = from === 'failed' ? await failedPaths(store, plan, run) : pathsOf(plan, run, from);
  const { roots, reached } = closure(plan, named);
  const report = toPreview(plan, reached);
  if (preview || roots.length === 0) return report;
  const ids = roots.map((path) => taskId(run, path));
  await store.rerunTasks(ids, { downstream: true });
  return report;
}

async function failedPaths(store: TaskStore, plan: Plan, run: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { id } of store.listTasks({ idPrefix: `${run}/`, statusCodes: FAILED })) {
    paths.push(beginningOf(plan, id.slice(run.length + 1)));
  }
  const [own] = await store.getOutcomes([run], { results: false });
  if (own && FAILED.includes(own.statusCode)) paths.push('');
  return paths;
}

/** What was inserted under way is made anew by what made it; an event that failed waits again from its gate on. */
function beginningOf(plan: Plan, path: string): string {
  const spawning = spawningPath(plan, path);
  if (spawning !== null) return spawning;
  const [parent, name] = split(path);
  if (name === INTERNAL.open) return mapStart(plan, parent);
  if (name === INTERNAL.timeout || name === INTERNAL.skipped) return below(parent, INTERNAL.gate);
  return plan.nodes.get(path)?.kind === 'event' ? below(path, INTERNAL.gate) : path;
}

/** Where the work of a node begins; an item is its own beginning. */
function pathsOf(plan: Plan, run: string, names: readonly string[]): string[] {
  return names.map((name) => {
    const kind = plan.nodes.get(name)?.kind;
    if (kind === 'map') return mapStart(plan, name);
    if (kind === 'task') return taskStart(plan, name);
    if (kind === 'graph') return below(name, INTERNAL.input);
    if (kind === 'event') return below(name, INTERNAL.gate);
    if (kind === undefined && !isItem(plan, name)) throw new UnknownNodeError(run, name, 'node');
    return name;
  });
}

/** What spawned the run that a path lies in, the outermost: a task that runs again, or an item, spawns anew. */
function spawningPath(plan: Plan, path: string): string | null {
  const at = path.indexOf(SPAWNED);
  if (at < 0) return null;
  const node = path.slice(0, at);
  const [place = ''] = path.slice(at + SPAWNED.length).split('/');
  return plan.zips.has(node) ? below(node, place) : taskStart(plan, node);
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
function closure(plan: Plan, named: readonly string[]): { roots: string[]; reached: Set<string> } {
  const roots = new Set(named);
  const reached = new Set<string>();
  const queue = [...named];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...targetsOf(plan, path));
    const root = expanderOfGate(plan, path);
    if (root === null) continue;
    roots.add(root);
    queue.push(root);
  }
  return { roots: [...roots], reached };
}

function targetsOf(plan: Plan, path: string): Iterable<string> {
  const planned = plan.tasks.get(path);
  if (planned) return planned.targets;
  const [map, index] = split(path);
  const following = [...plan.zips.values()].filter(({ over }) => over === map);
  return [map, ...following.map((zip) => `${zip.path}/${index}`)];
}

/** Items that waited for a gate have begun: they can wait for it again only if they are made anew. */
function expanderOfGate(plan: Plan, path: string): string | null {
  const [map, name] = split(path);
  const zip = name === INTERNAL.gate ? plan.zips.get(map) : undefined;
  return zip ? below(zip.root, INTERNAL.items) : null;
}

function toPreview(plan: Plan, reached: ReadonlySet<string>): RerunPreview {
  const isMadeAnew = (map: string) => reached.has(mapStart(plan, map));
  const items = [...reached].filter((path) => isItem(plan, path) && !isMadeAnew(split(path)[0]));
  const nodes = [...plan.nodes.keys()];
  return {
    reruns: [...nodes.filter((path) => reached.has(path)), ...items].filter(
      (path) => !isInternal(path),
    ),
    keeps: nodes.filter((path) => !reached.has(path)),
  };
}
