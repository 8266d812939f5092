/** How a generated graph hangs together. */
export type LargeShape = 'chain' | 'mixed';

/**
 * The source of a graph of `size` tasks and maps. A chain: each node reads the one before. Mixed: as people write them,
 * with conditions, maps, modifiers, and a fan from the first node to most others.
 */
export function largeGraph(size: number, shape: LargeShape, index: string): string {
  const line = shape === 'chain' ? chainLine : mixedLine;
  const lines = Array.from({ length: size }, (_, node) => (node === 0 ? FIRST : line(node)));
  const outputs = size === 0 ? '{}' : `{ last: n${size - 1} }`;
  return [
    `import { graph, optional, settled } from ${JSON.stringify(index)};`,
    "const g = graph<{ url: string }>('large');",
    'export const modifiers = [optional, settled];',
    ...lines,
    `export const large = g.outputs(${outputs});`,
    '',
  ].join('\n');
}

const FIRST =
  "const n0 = g.task('n0', { run: async ({ input }) => ({ at: 0, rows: [input.url] }) });";

function chainLine(node: number): string {
  const previous = `n${node - 1}`;
  return (
    `const n${node} = g.task('n${node}', { after: { ${previous} }, ` +
    `run: async ({ deps }) => ({ at: deps.${previous}.at + ${node}, rows: deps.${previous}.rows }) });`
  );
}

/** Five kinds of node in turn, each fit for the next. */
function mixedLine(node: number): string {
  const previous = `n${node - 1}`;
  const earlier = `n${Math.floor(node / 10) * 5}`;
  const options = [
    `after: { prev: ${previous}, first: n0, maybe: optional(${earlier}) }, ` +
      'if: ({ deps }) => deps.prev.rows.length > 0, ' +
      `run: ({ deps }) => ({ at: deps.prev.at + (deps.maybe?.at ?? 0), rows: deps.first.rows, x${node}: 1 })`,
    `after: { prev: ${previous}, n0 }, retries: 2, ` +
      'run: async ({ deps, signal }) => ({ at: deps.prev.at, rows: signal.aborted ? [] : deps.n0.rows })',
    `after: { ${previous} }, run: ({ deps }) => deps.${previous}.rows`,
    `over: ${previous}, after: { n0 }, run: ({ item, index, deps }) => ({ item, index, at: deps.n0.at })`,
    `after: { all: settled(${previous}), n0 }, ` +
      "run: async ({ deps }) => ({ at: deps.all.status === 'completed' ? deps.all.value.count : 0, rows: ['x'] })",
  ];
  return `const n${node} = g.${node % 5 === 3 ? 'map' : 'task'}('n${node}', { ${options[node % 5]} });`;
}
