// Checked by `tsc -p test`, never run: each line must compile, or must not where `@ts-expect-error` stands before it.
import { expectTypeOf } from 'vitest';
import type { NodeRetryPolicy } from '../../src/graph/node-options.js';
import {
  type Collected,
  graph,
  handledBy,
  type InputOf,
  type Node,
  type NodeState,
  type OutputOf,
  optional,
  type RetryPolicy,
  type StandardSchema,
  type StatusCode,
  type TaskContext,
  typed,
} from '../../src/index.js';

declare const standard: StandardSchema<
  { url: string; depth?: number },
  { url: string; depth: number }
>;

const g = graph<{ url: string }>('etl');

const extract = g.task('extract', {
  retries: 5,
  timeoutMs: 60_000,
  retry: { delayMs: 100, factor: 2, maxDelayMs: 1000, jitter: 0.1 },
  run: async ({ input, signal, attempt, logger, heartbeat, progress, deps }) => {
    expectTypeOf(input).toEqualTypeOf<{ url: string }>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(attempt).toEqualTypeOf<number>();
    logger.info({}, 'extracting');
    await heartbeat();
    progress({ done: 1, total: 2 });
    // @ts-expect-error it has no dependencies
    deps.anything;
    return { rows: [{ id: 1 }], note: undefined as string | undefined };
  },
});
expectTypeOf(extract).toEqualTypeOf<Node<{ rows: { id: number }[]; note: string | undefined }>>();

const rows = g.task('rows', {
  after: { source: extract },
  if: ({ input, deps }) => input.url !== '' && deps.source.rows.length > 1,
  run: ({ deps, input }) => {
    // @ts-expect-error the dependency is named otherwise
    deps.extract;
    // @ts-expect-error the input has no such member
    input.path;
    return deps.source.rows;
  },
});
expectTypeOf(rows).toEqualTypeOf<Node<{ id: number }[]>>();

expectTypeOf(g.task('nothing', { run: () => {} })).toEqualTypeOf<Node<void>>();
expectTypeOf(g.task('later', { run: async () => {} })).toEqualTypeOf<Node<void>>();
expectTypeOf(g.task('text', { run: () => 'a' })).toEqualTypeOf<Node<string>>();
expectTypeOf(g.task('null', { run: () => null })).toEqualTypeOf<Node<null>>();
expectTypeOf(g.task('unknown', { run: (): unknown => 1 })).toEqualTypeOf<Node<unknown>>();
g.task('asks', { if: async () => false, run: () => 1 });
// @ts-expect-error a condition is a boolean
g.task('asks', { if: () => 'yes', run: () => 1 });
// @ts-expect-error a task needs a handler
g.task('idle', { retries: 1 });
// @ts-expect-error a typo
g.task('typo', { retires: 1, run: () => 1 });
// @ts-expect-error of the wrong type
g.task('wrong', { retries: '1', run: () => 1 });
// @ts-expect-error a name is no handle
g.task('names', { after: { extract: 'extract' }, run: () => 1 });
// @ts-expect-error dependencies have names
g.task('bare', { after: extract, run: () => 1 });

// Handlers written elsewhere are held to what the node gives them.
const needsText = ({ deps }: { readonly deps: { readonly extract: string } }) =>
  deps.extract.length;
// @ts-expect-error the node gives it an object
g.task('needs', { after: { extract }, run: needsText });
// @ts-expect-error the node gives it nothing
g.task('lacks', { run: needsText });
const wants = ({ deps }: TaskContext<unknown, { extract: { note: string | undefined } }>) => deps;
expectTypeOf(g.task('wants', { after: { extract }, run: wants })).toExtend<
  Node<{ extract: { note: string | undefined } }>
>();

// Results are JSON.
type Tree = { value: string; kids: Tree[] };
type Id = string & { readonly brand: 'id' };
g.task('tree', { run: (): Tree => ({ value: '', kids: [] }) });
g.task('brand', { run: (): { id: Id } => ({ id: 'a' as Id }) });
g.task('union', { run: (): 'a' | { b: readonly [1, 'c'] } | undefined => 'a' });
// @ts-expect-error a bigint
g.task('bigint', { run: () => 1n });
// @ts-expect-error a symbol
g.task('symbol', { run: () => Symbol('a') });
// @ts-expect-error a function
g.task('function', { run: async () => () => 1 });
// @ts-expect-error a function further down
g.task('deep', { run: () => [{ a: { b: () => 1 } }] });
// @ts-expect-error a Date comes back as a string
g.task('date', { run: () => ({ at: new Date() }) });
// @ts-expect-error a Map comes back empty
g.task('map', { run: () => new Map([[1, 2]]) });
g.map('big', {
  over: rows,
  // @ts-expect-error also of a map
  run: () => 1n,
});

// A handler that lives apart.
const sendMail = async ({ deps }: Pick<TaskContext<unknown, { to: string }>, 'deps'>) => ({
  messageId: deps.to,
});
const address = g.task('address', { run: () => 'a@b' });
const sent = g.task('sent', {
  after: { to: address },
  action: handledBy<typeof sendMail>('send-mail'),
});
expectTypeOf(sent).toEqualTypeOf<Node<{ messageId: string }>>();
g.task('unsent', {
  after: { to: rows },
  // @ts-expect-error the handler takes a string
  action: handledBy<typeof sendMail>('send-mail'),
});
const described = g.task('described', { action: 'describe', output: standard });
expectTypeOf(described).toEqualTypeOf<Node<{ url: string; depth: number }>>();
const said = g.task('said', { action: 'say', output: typed<{ word: string }>() });
expectTypeOf(said).toEqualTypeOf<Node<{ word: string }>>();
expectTypeOf(g.task('bland', { action: 'a' })).toEqualTypeOf<Node<unknown>>();
expectTypeOf(g.task('json', { action: 'a', output: { type: 'object' } })).toEqualTypeOf<
  Node<unknown>
>();
// @ts-expect-error one or the other
g.task('both', { action: 'a', run: () => 1 });

// Outputs with schemas.
const filled = g.task('filled', { output: standard, run: () => ({ url: 'a' }) });
expectTypeOf(filled).toEqualTypeOf<Node<{ url: string; depth: number }>>();
expectTypeOf(g.task('kept', { output: { type: 'number' }, run: () => 1 })).toEqualTypeOf<
  Node<number>
>();
g.task('misfit', {
  output: standard,
  // @ts-expect-error the schema takes a string
  run: () => ({ url: 1 }),
});

// Maps.
const each = g.map('each', {
  over: rows,
  after: { extract, maybe: optional(extract) },
  concurrency: 50,
  failAfter: { ratio: 0.1 },
  if: ({ deps }) => deps.extract.rows.length > 0,
  run: async ({ item, index, deps, input, attempt }) => {
    expectTypeOf(item).toEqualTypeOf<{ id: number }>();
    expectTypeOf(index).toEqualTypeOf<number>();
    expectTypeOf(attempt).toEqualTypeOf<number>();
    return `${item.id} ${deps.extract.note} ${deps.maybe?.note} ${input.url}`;
  },
});
expectTypeOf(each).toEqualTypeOf<Node<Collected<string>>>();
const lengths = g.map('lengths', { over: each, run: ({ item }) => item.length });
expectTypeOf(lengths).toEqualTypeOf<Node<Collected<number>>>();
expectTypeOf(
  g.map('apart', { over: each, action: 'measure', output: typed<number>() }),
).toEqualTypeOf<Node<Collected<number>>>();
// @ts-expect-error not an array
g.map('object', { over: extract, run: () => 1 });
// @ts-expect-error an edge is no node
g.map('edge', { over: optional(rows), run: () => 1 });
// @ts-expect-error a map goes over something
g.map('over', { run: () => 1 });
// @ts-expect-error one or the other
g.map('fails', { over: rows, failAfter: { part: 1 }, run: () => 1 });
g.task('reads', {
  after: { lengths },
  run: async ({ deps }) => {
    let sum = deps.lengths.count;
    for await (const length of deps.lengths) sum += length;
    return sum + (await deps.lengths.all()).length;
  },
});

// Events and sleeps.
const approved = g.event('approved', { schema: standard, timeoutMs: 1000, after: { extract } });
expectTypeOf(approved).toExtend<Node<{ url: string; depth: number }>>();
expectTypeOf(approved.kind).toEqualTypeOf<'event'>();
expectTypeOf(g.event('said-so', { schema: typed<boolean>() })).toExtend<Node<boolean>>();
expectTypeOf(g.event('any')).toExtend<Node<unknown>>();
const pause = g.sleep('pause', 1000, { after: { extract } });
expectTypeOf(pause).toEqualTypeOf<Node<null>>();
g.sleep('until', ({ input, deps }) => new Date(input.url + deps.extract.note), {
  after: { extract },
});
g.sleep('for', async () => 1000);
// @ts-expect-error a time is a number of milliseconds or a function
g.sleep('date', new Date());
// @ts-expect-error it returns a time
g.sleep('text', () => 'tomorrow');

// Sub-graphs.
const plain = graph('plain').outputs({});
const inner = graph('inner', { input: standard });
const found = inner.task('found', { run: ({ input }) => input.depth });
const innerGraph = inner.outputs({ found, maybe: optional(found) });
expectTypeOf<InputOf<typeof innerGraph>>().toEqualTypeOf<{ url: string; depth?: number }>();
expectTypeOf<OutputOf<typeof innerGraph>>().toEqualTypeOf<{
  readonly found: number;
  readonly maybe: number | undefined;
}>();
const sub = g.graph('sub', {
  graph: innerGraph,
  after: { rows },
  input: async ({ input, deps }) => ({ url: input.url, depth: deps.rows.length }),
});
expectTypeOf(sub).toEqualTypeOf<Node<OutputOf<typeof innerGraph>>>();
g.graph('plain', { graph: plain, after: { rows } });
// @ts-expect-error the graph takes an input
g.graph('no-input', { graph: innerGraph });
// @ts-expect-error of the wrong type
g.graph('wrong', { graph: innerGraph, input: () => ({ url: 1 }) });
// @ts-expect-error a builder is no graph yet
g.graph('open', { graph: inner, input: () => ({ url: '' }) });

// Outputs and the graph itself.
const etl = g.outputs({ lengths, sub });
expectTypeOf<InputOf<typeof etl>>().toEqualTypeOf<{ url: string }>();
expectTypeOf<OutputOf<typeof etl>['lengths']>().toEqualTypeOf<Collected<number>>();
expectTypeOf<InputOf<typeof plain>>().toEqualTypeOf<void>();
// @ts-expect-error frozen
etl.version = 2;

expectTypeOf<InputOf<typeof typedInput>>().toEqualTypeOf<{ a: 1 }>();
const typedInput = graph('typed', { input: typed<{ a: 1 }>({ type: 'object' }) }).outputs({});
const untyped = graph('untyped', { input: { type: 'object' } }).outputs({});
expectTypeOf<InputOf<typeof untyped>>().toEqualTypeOf<unknown>();
// Shared with the store, which the graph may not import.
expectTypeOf<NodeState>().toEqualTypeOf<StatusCode>();
expectTypeOf<NodeRetryPolicy>().toExtend<Readonly<RetryPolicy>>();
expectTypeOf<keyof NodeRetryPolicy>().toEqualTypeOf<keyof RetryPolicy>();

const both = graph<{ a: number }>('both', { version: 2, input: { type: 'object' } });
both.task('a', { run: ({ input }) => input.a.toFixed() });

// Written where it is used, a node has the type of what it comes to all the same.
const inPlace = graph('in-place');
const nested = inPlace.outputs({
  task: inPlace.task('task', {
    after: { one: inPlace.task('one', { run: () => 1 }) },
    run: ({ deps }) => {
      expectTypeOf(deps.one).toEqualTypeOf<number>();
      return [`${deps.one}`];
    },
  }),
  event: inPlace.event('event', { schema: typed<boolean>() }),
  map: inPlace.map('map', {
    over: inPlace.task('items', { run: () => [1, 2] }),
    run: ({ item }) => {
      expectTypeOf(item).toEqualTypeOf<number>();
      return String(item);
    },
  }),
  maybe: optional(inPlace.task('maybe', { run: () => 1 })),
});
expectTypeOf<OutputOf<typeof nested>>().toEqualTypeOf<{
  readonly task: string[];
  readonly event: boolean;
  readonly map: Collected<string>;
  readonly maybe: number | undefined;
}>();
