import type { GraphDefinition } from '../graph/node-definition.js';

/*
 * Everything about a task of a run follows from its id and the definition of the graph.
 *
 *   etl/42               the run's own task
 *   etl/42/extract       a node
 *   etl/42/each          a map: its join           etl/42/each/~items   what makes its items
 *   etl/42/each/17       an item                   etl/42/each/~gate, ~open   of a map over a map
 *   etl/42/crawl         a task that spawns: its join  etl/42/crawl/~work   its handler
 *   etl/42/crawl/~spawned/0   a run that it spawned; that of an item   etl/42/each/~spawned/17/0
 *   etl/42/sub           a sub-graph: its run      etl/42/sub/~input, etl/42/sub/<node>
 *   etl/42/ok            an event                  etl/42/ok/~gate, ~payload, ~timeout, ~skipped
 *
 * Of a schedule, whose tasks start runs:
 *
 *   nightly/<due>        starts the run            nightly/<due>/~run   ends when the run does
 *   etl/nightly@<due>    the run
 *
 * A path is what comes after the run: `each/~items`. An action is `<graph>@<version>.<hash>/<path>`, of items the path
 * of their map; so a worker which does not know a version, or knows another shape of it, never owns a task of it. What
 * starts runs for schedules is `<graph>@<version>/~start`: a run is begun in whatever shape its worker knows.
 */

/** What signalbox adds itself. No id of a node begins with `~`. */
export const INTERNAL = {
  start: '~start',
  run: '~run',
  items: '~items',
  join: '~join',
  work: '~work',
  spawned: '~spawned',
  gate: '~gate',
  open: '~open',
  input: '~input',
  payload: '~payload',
  timeout: '~timeout',
  skipped: '~skipped',
} as const;

/** `each` in the scope `sub`: `sub/each`. Where one of them is empty it is the other. */
export function below(path: string, name: string): string {
  if (path === '') return name;
  return name === '' ? path : `${path}/${name}`;
}

/** The id of the task at a path of a run; the run's own for the empty path. */
export function taskId(run: string, path: string): string {
  return below(run, path);
}

/** Of the hash: a few bytes in every task of a run, and more than enough to tell apart the shapes of one version. */
const HASH_CHARACTERS = 8;

export function actionPrefix({ name, version, hash }: GraphDefinition): string {
  return `${name}@${version}.${hash.slice(0, HASH_CHARACTERS)}/`;
}

export function startAction({ name, version }: GraphDefinition): string {
  return `${name}@${version}/${INTERNAL.start}`;
}

/** The path within its run of whatever performs an action; no name of a graph holds `/`. */
export function pathOfAction(action: string): string {
  return action.slice(action.indexOf('/') + 1);
}

export function runIdOf(graph: GraphDefinition, id: string): string {
  return `${graph.name}/${id}`;
}

/** Whether the last part of an id or path is one of INTERNAL. */
export function isInternal(path: string): boolean {
  return path.startsWith('~', path.lastIndexOf('/') + 1);
}

const RUN_ACTION = /^([^/]+)@(\d+)\.[0-9a-f]+\/(?:.*\/)?~run$/s;

/** The graph that the action of a run names; null: it is no run's. */
export function parseRunAction(
  action: string | null,
): { readonly graph: string; readonly version: number } | null {
  const [, graph, version] = RUN_ACTION.exec(action ?? '') ?? [];
  return graph === undefined ? null : { graph, version: Number(version) };
}

/** Puts ids and paths in order, 9 before 10. */
export const BY_PATH = new Intl.Collator('en', { numeric: true });

/** The paths that a path lies below, the longest last: `a`, `a/b` of `a/b/c`. */
export function pathsAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}
