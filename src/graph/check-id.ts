/** Short enough for a screen. Paths of ids are what is limited in the database: see MAX_PATH_BYTES. */
const MAX_ID_BYTES = 255;

/** Of the 2,048 bytes of a task's id; the others are for the prefix, the graph's name and the run's id. */
export const MAX_PATH_BYTES = 1024;

/** `/` and the place of an item of a map. */
const ITEM_BYTES = 11;

/** `/~spawned/` and the place of a run that was spawned. What is in it depends on what is spawned: see Spawner. */
const SPAWNED_BYTES = 20;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** What is wrong with the name of a graph or the id of a node, or null. They become parts of paths: `etl/42/extract`. */
export function idFault(id: unknown): string | null {
  if (typeof id !== 'string') return `must be a string, not ${typeof id}`;
  if (id === '') return 'must not be empty';
  if (id.includes('/')) return 'must not hold "/", which separates the parts of a path';
  if (id.startsWith('~')) return 'must not begin with "~", which marks what signalbox adds itself';
  if (id.includes('\0')) return 'must not hold \\u0000, which Postgres cannot store';
  if (LONE_SURROGATE.test(id)) return 'must not hold half a surrogate pair';
  const bytes = Buffer.byteLength(id);
  return bytes > MAX_ID_BYTES
    ? `must have at most ${MAX_ID_BYTES} bytes in UTF-8, not ${bytes}`
    : null;
}

/** How long the paths of a node's tasks are below the path of its graph. */
export function pathBytes(node: {
  readonly id: string;
  readonly kind: string;
  readonly graph?: { readonly maxPathBytes: number };
  readonly spawns?: object | null;
}): number {
  const own = Buffer.byteLength(node.id);
  if (node.graph) return own + 1 + node.graph.maxPathBytes;
  const item = node.kind === 'map' ? ITEM_BYTES : 0;
  return own + item + (node.spawns ? SPAWNED_BYTES : 0);
}
