import { describe, expect, it } from 'vitest';
import { type Builder, graph } from '../../../src/graph/builder.js';
import type { Graph } from '../../../src/graph/definition.js';
import { anyOf, onFailure, optional, orderOnly, settled } from '../../../src/graph/edges.js';
import { ForeignNodeError, InvalidGraphError } from '../../../src/graph/graph-errors.js';
import { handledBy } from '../../../src/graph/node-options.js';
import { typed } from '../../../src/graph/schema.js';

const one = () => 1;

function newGraph(): Builder<void, void> {
  return graph('etl');
}

/** Options that the compiler refuses, for those who write JavaScript. */
function untyped(options: unknown): never {
  return options as never;
}

describe('a graph', () => {
  it('has its nodes in the order in which they were added, with ids for edges', () => {
    const g = graph<{ url: string }>('etl', { version: 3 });
    const extract = g.task('extract', { run: () => [1] });
    const each = g.map('each', { over: extract, after: { extract }, run: ({ item }) => item });
    const pause = g.sleep('pause', 5, { after: { each: settled(each) } });
    const approved = g.event('approved', { timeoutMs: 10, after: { pause } });
    g.task('last', {
      after: { any: anyOf(extract, each), none: orderOnly(approved), failed: onFailure(each) },
      run: one,
    });
    const etl = g.outputs({ each, maybe: optional(extract) });
    expect(etl).toMatchObject({ name: 'etl', version: 3, input: null });
    const required = { mode: 'required', isHidden: false };
    expect(etl.nodes.map(({ id, kind, edges }) => ({ id, kind, edges }))).toEqual([
      { id: 'extract', kind: 'task', edges: [] },
      { id: 'each', kind: 'map', edges: [{ name: 'extract', ...required, nodes: ['extract'] }] },
      {
        id: 'pause',
        kind: 'sleep',
        edges: [{ name: 'each', mode: 'settled', isHidden: false, nodes: ['each'] }],
      },
      { id: 'approved', kind: 'event', edges: [{ name: 'pause', ...required, nodes: ['pause'] }] },
      {
        id: 'last',
        kind: 'task',
        edges: [
          { name: 'any', mode: 'any', isHidden: false, nodes: ['extract', 'each'] },
          { name: 'none', mode: 'required', isHidden: true, nodes: ['approved'] },
          { name: 'failed', mode: 'failure', isHidden: false, nodes: ['each'] },
        ],
      },
    ]);
    expect(etl.outputs).toEqual([
      { name: 'each', ...required, nodes: ['each'] },
      { name: 'maybe', mode: 'optional', isHidden: false, nodes: ['extract'] },
    ]);
  });

  it('is frozen, all the way down', () => {
    const g = newGraph();
    const a = g.task('a', { retry: { delayMs: 1 }, run: () => [1] });
    g.map('b', { over: a, after: { any: anyOf(a) }, failAfter: { ratio: 0.5 }, run: one });
    const etl = g.outputs({ a });
    const open: unknown[] = [etl];
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      if (typeof value !== 'object' || value === null) continue;
      expect(Object.isFrozen(value)).toBe(true);
      open.push(...Object.values(value));
    }
    expect(Object.isFrozen(a)).toBe(true);
  });

  it('is closed by outputs', () => {
    const g = newGraph();
    g.outputs({});
    const problem =
      'Graph "etl": outputs() has closed it; add nodes before, or define another graph.';
    expect(() => g.task('late', { run: one })).toThrow(problem);
    expect(() => g.outputs({})).toThrow(problem);
  });

  it('stays open where outputs are refused', () => {
    const g = newGraph();
    expect(() => g.outputs(untyped({ a: 'a' }))).toThrow(
      'Graph "etl": outputs: the dependency "a" is neither a node nor an edge; give a handle.',
    );
    const a = g.task('a', { run: one });
    expect(g.outputs({ a }).nodes).toHaveLength(1);
  });

  it.each([
    ['an empty name', '', {}, 'the name must not be empty'],
    ['a path', 'a/b', {}, 'the name must not hold "/"'],
    ['a name that is taken by signalbox', '~a', {}, 'the name must not begin with "~"'],
    ['no name', 7, {}, 'the name must be a string, not number'],
    ['a version of 0', 'a', { version: 0 }, 'version must be an integer from 1'],
    ['a version that is no number', 'a', { version: '1' }, 'version must be an integer from 1'],
    ['an unknown option', 'a', { versoin: 1 }, 'versoin is not an option'],
    ['an input that is no schema', 'a', { input: { type: 'x' } }, 'input is not a JSON Schema'],
  ])('refuses %s', (_, name, options, problem) => {
    expect(() => graph(untyped(name), untyped(options))).toThrow(problem);
    expect(() => graph(untyped(name), untyped(options))).toThrow(InvalidGraphError);
  });
});

describe('the id of a node', () => {
  it('is unique within a graph, whatever the kinds', () => {
    const g = newGraph();
    g.task('a', { run: one });
    expect(() => g.event('a')).toThrow(
      'Graph "etl", node "a": the id is taken; ids are unique within a graph.',
    );
    expect(() => g.event('A')).not.toThrow();
  });

  it.each([
    ['', 'must not be empty'],
    ['a/b', 'must not hold "/"'],
    ['~join', 'must not begin with "~"'],
    ['a\0', 'must not hold \\u0000'],
    ['a\ud800', 'must not hold half a surrogate pair'],
    ['ä'.repeat(128), 'must have at most 255 bytes in UTF-8, not 256'],
    [untyped(undefined), 'must be a string, not undefined'],
  ])('may not be %j', (id, problem) => {
    expect(() => newGraph().task(id, { run: one })).toThrow(`the id ${problem}`);
  });

  it.each(['a', 'a~', '…', ' ', '"', 'a.b', 'ä'.repeat(127), 'constructor', '__proto__'])(
    'may be %j',
    (id) => {
      const g = newGraph();
      expect(g.task(id, { run: one })).toEqual({ kind: 'task', id, graph: 'etl' });
    },
  );

  it('is free again if the node was refused', () => {
    const g = newGraph();
    expect(() => g.task('a', { retries: -1, run: one })).toThrow(InvalidGraphError);
    expect(g.task('a', { run: one }).id).toBe('a');
    expect(g.outputs({}).nodes).toHaveLength(1);
  });

  it('may not make paths longer than the database takes', () => {
    let inner = graph('leaf').outputs({});
    for (let depth = 0; depth < 4; depth++) {
      const g = graph('level');
      g.graph('x'.repeat(255), { graph: inner });
      inner = g.outputs({});
    }
    expect(inner.maxPathBytes).toBe(4 * 256);
    expect(() => newGraph().graph('a', { graph: inner })).toThrow(
      'its paths have up to 1026 bytes, more than 1024; shorten ids',
    );
  });

  it('has room for the numbers of items', () => {
    const g = newGraph();
    const a = g.task('a', { run: () => [1] });
    g.map('bc', { over: a, run: one });
    expect(g.outputs({}).maxPathBytes).toBe('bc/9999999999'.length);
  });

  it('has room for the numbers of runs that are spawned', () => {
    const page = graph('page').outputs({});
    const g = newGraph();
    const a = g.task('a', { spawns: [page], run: () => [1] });
    expect(g.outputs({ a }).maxPathBytes).toBe('a/~spawned/9999999999'.length);
    const h = newGraph();
    h.map('b', { over: h.task('a', { run: () => [1] }), spawns: [page], run: one });
    expect(h.outputs({}).maxPathBytes).toBe('b/~spawned/9999999999/9999999999'.length);
  });
});

describe('a dependency', () => {
  it('on a node of another graph is an error that names both', () => {
    const other = graph('other');
    const foreign = other.task('theirs', { run: () => [1] });
    const g = newGraph();
    const faults = [
      () => g.task('a', { after: { foreign }, run: one }),
      () => g.task('a', { after: { foreign: optional(foreign) }, run: one }),
      () => g.task('a', { after: { foreign: orderOnly(anyOf(foreign)) }, run: one }),
      () => g.map('a', { over: foreign, run: one }),
      () => g.event('a', { after: { foreign } }),
      () => g.sleep('a', 1, { after: { foreign } }),
      () => g.outputs({ foreign }),
    ];
    for (const fault of faults) {
      expect(fault).toThrow(ForeignNodeError);
      expect(fault).toThrow(
        'Node "theirs" is of graph "other", not of the graph "etl" that it was handed to.',
      );
    }
  });

  it('on a node of another graph of the same name is one too', () => {
    const foreign = newGraph().task('a', { run: one });
    expect(() => newGraph().task('b', { after: { foreign }, run: one })).toThrow(
      'Node "a" is of another graph that is also named "etl"',
    );
  });

  it.each([
    ['a name', { a: 'a' }, 'the dependency "a" is neither a node nor an edge'],
    ['undefined', { a: undefined }, 'the dependency "a" is neither a node nor an edge'],
    ['an array', [], 'dependencies must be a record'],
    ['null', null, 'dependencies must be a record'],
    ['a bare edge', { mode: 'any', nodes: [] }, 'put the node in braces'],
    ['an edge without nodes', { a: anyOf(...untyped([])) }, 'the dependency "a" names no node'],
  ])('is not %s', (_, after, problem) => {
    expect(() => newGraph().task('b', untyped({ after, run: one }))).toThrow(problem);
  });

  it('needs a name', () => {
    const g = newGraph();
    const a = g.task('a', { run: one });
    expect(() => g.task('b', untyped({ after: a, run: one }))).toThrow('put the node in braces');
  });

  it('that only orders keeps the rule of what it is made of', () => {
    const g = newGraph();
    const a = g.task('a', { run: one });
    expect(orderOnly(a)).toEqual({ mode: 'required', isHidden: true, nodes: [a] });
    expect(orderOnly(settled(a))).toEqual({ mode: 'settled', isHidden: true, nodes: [a] });
  });
});

describe('a task', () => {
  it('keeps its handlers and settings, and fills in what is left out', () => {
    const g = newGraph();
    const [run, condition] = [() => 1, () => true];
    const output = { type: 'number' };
    g.task('a', { run });
    g.task('b', {
      run,
      if: condition,
      output,
      retries: 0,
      retry: { delayMs: 5, jitter: 1 },
      timeoutMs: 7,
      priority: -3,
      queue: 'slow',
      limitKey: 'api',
      limit: 2,
    });
    const [a, b] = g.outputs({}).nodes;
    const settings = {
      maxTries: 3,
      retry: null,
      timeoutMs: null,
      priority: null,
      queue: null,
      limitKey: null,
      limit: null,
    };
    const none = { condition: null, action: null, output: null, spawns: null };
    expect(a).toEqual({ kind: 'task', id: 'a', edges: [], run, ...none, settings });
    expect(b).toMatchObject({ run, condition, output });
    expect(b).toHaveProperty('settings', {
      maxTries: 1,
      retry: { delayMs: 5, jitter: 1 },
      timeoutMs: 7,
      priority: -3,
      queue: 'slow',
      limitKey: 'api',
      limit: 2,
    });
  });

  it('has a handler or the name of an action', () => {
    const g = newGraph();
    g.task('a', { action: 'send-mail' });
    g.task('b', { action: handledBy<() => number>('send-mail'), output: typed<number>() });
    const named = { run: null, action: 'send-mail' };
    expect(g.outputs({}).nodes).toMatchObject([named, named]);
    const problem = 'give either run, a handler, or action, the name of one that lives apart';
    expect(() => newGraph().task('a', untyped({}))).toThrow(problem);
    expect(() => newGraph().task('a', untyped({ run: one, action: 'a' }))).toThrow(problem);
  });

  it.each([
    ['options', null, 'its options must be an object'],
    ['retires', { retires: 1 }, 'retires is not an option; the options are after, if, run'],
    ['over', { over: 1 }, 'over is not an option'],
    ['run', { run: 'a' }, 'run must be a function, not "a"'],
    ['if', { if: true }, 'if must be a function, not true'],
    ['action', { run: undefined, action: '' }, 'action must be a string of 1 to 512 bytes'],
    ['output', { output: { type: 'x' } }, 'output is not a JSON Schema'],
    ['retries', { retries: 1.5 }, 'retries must be an integer from 0 to 2147483646, not 1.5'],
    ['maxTries', { maxTries: 0 }, 'maxTries must be an integer from 1'],
    ['both', { retries: 1, maxTries: 2 }, 'retries and maxTries say the same; give one of them'],
    ['retry', { retry: 5 }, 'retry: its options must be an object'],
    ['retry.delay', { retry: { delay: 5 } }, 'retry: delay is not an option'],
    ['retry.delayMs', { retry: {} }, 'retry.delayMs is missing'],
    [
      'retry.factor',
      { retry: { delayMs: 1, factor: 0.5 } },
      'retry.factor must be a number from 1',
    ],
    ['retry.jitter', { retry: { delayMs: 1, jitter: 2 } }, 'retry.jitter must be a number from 0'],
    ['retry.maxDelayMs', { retry: { delayMs: 1, maxDelayMs: -1 } }, 'retry.maxDelayMs must be'],
    ['timeoutMs', { timeoutMs: 0 }, 'timeoutMs must be a number from 0.001'],
    ['NaN', { timeoutMs: Number.NaN }, 'timeoutMs must be a number'],
    ['priority', { priority: 40_000 }, 'priority must be an integer from -32768 to 32767'],
    ['queue', { queue: '' }, 'queue must be a string of 1 to 512 bytes, not ""'],
    ['limitKey', { limitKey: 'a'.repeat(513) }, 'limitKey must be a string of 1 to 512 bytes'],
    ['limit', { limitKey: 'a', limit: 0 }, 'limit must be an integer from 1'],
    ['a lone limit', { limit: 1 }, 'limit needs a limitKey'],
  ])('is refused for its %s', (_, options, problem) => {
    const all = options === null ? options : { run: one, ...options };
    const fault = () => newGraph().task('a', untyped(all));
    expect(fault).toThrow(InvalidGraphError);
    expect(fault).toThrow(`Graph "etl", node "a": ${problem}`);
  });
});

describe('what a node spawns', () => {
  const page = graph('page').outputs({});

  it('is a list of graphs, or a function that is asked once they are there', () => {
    const g = newGraph();
    g.task('a', { spawns: [page], run: one });
    g.task('b', { spawns: () => [etl, page], run: one });
    g.task('c', { spawns: [], run: one });
    const etl: Graph<void, object> = g.outputs({});
    const spawns = etl.nodes.map((node) => (node.kind === 'task' ? node.spawns : null));
    expect(spawns.map((one) => one?.names)).toEqual([['page'], null, undefined]);
    expect(spawns.map((one) => one?.graphs())).toEqual([[page], [etl, page], undefined]);
    expect(Object.isFrozen(spawns[0])).toBe(true);
  });

  it.each([
    ['a builder', [graph('open')]],
    ['a graph without its list', page],
    ['a name', ['page']],
  ])('is not %s', (_, spawns) => {
    const problem = 'Graph "etl", node "a": spawns must be an array of graphs';
    expect(() => newGraph().task('a', untyped({ spawns, run: one }))).toThrow(problem);
    const g = newGraph();
    g.task('a', untyped({ spawns: () => spawns, run: one }));
    const [node] = g.outputs({}).nodes;
    expect(() => node?.kind === 'task' && node.spawns?.graphs()).toThrow(problem);
  });

  it('is nothing where another map goes over it, item by item', () => {
    const g = newGraph();
    const a = g.task('a', { run: () => [1] });
    const b = g.map('b', { over: a, spawns: [page], run: one });
    expect(() => g.map('c', { over: b, run: one })).toThrow(
      'Graph "etl", node "c": over must not be a map that spawns, as "b" does',
    );
  });
});

describe('a map', () => {
  it('fails with its first item, unless told otherwise, and knows what it goes over', () => {
    const g = newGraph();
    const a = g.task('a', { run: () => [1] });
    const b = g.map('b', { over: a, run: one });
    g.map('c', { over: b, after: { over: a }, concurrency: 5, failAfter: { ratio: 0 }, run: one });
    const over = { name: 'over', mode: 'required', isHidden: true };
    expect(g.outputs({}).nodes.slice(1)).toMatchObject([
      {
        over: { ...over, nodes: ['a'] },
        isZipped: false,
        concurrency: null,
        failAfter: { count: 1 },
      },
      { over: { ...over, nodes: ['b'] }, isZipped: true, concurrency: 5, failAfter: { ratio: 0 } },
    ]);
  });

  it.each([
    [
      'no array',
      { over: undefined },
      'over must be a node: a task that returns an array, or a map',
    ],
    ['concurrency', { concurrency: 0 }, 'concurrency must be an integer from 1'],
    ['failAfter', { failAfter: {} }, 'failAfter must be { count } or { ratio }'],
    ['both', { failAfter: { count: 1, ratio: 0 } }, 'failAfter must be { count } or { ratio }'],
    ['count', { failAfter: { count: 0 } }, 'failAfter.count must be an integer from 1'],
    ['ratio', { failAfter: { ratio: 1 } }, 'failAfter.ratio must be below 1'],
    ['part', { failAfter: { part: 1 } }, 'failAfter: part is not an option'],
  ])('is refused for its %s', (_, options, problem) => {
    const g = newGraph();
    const over = g.task('a', { run: () => [1] });
    expect(() => g.map('b', untyped({ over, run: one, ...options }))).toThrow(problem);
  });

  it('goes over a node, not an edge', () => {
    const g = newGraph();
    const a = g.task('a', { run: () => [1] });
    expect(() => g.map('b', untyped({ over: optional(a), run: one }))).toThrow(
      'over must be a node; put a task between that makes an array of the edge',
    );
  });
});

describe('events, sleeps and sub-graphs', () => {
  it('keep what they were given', () => {
    const g = newGraph();
    const schema = { type: 'boolean' };
    const [until, input] = [() => new Date(0), () => ({ a: 1 })];
    const inner = graph<{ a: number }>('inner').outputs({});
    g.event('event', { schema, timeoutMs: 9 });
    g.event('plain');
    g.sleep('for', 0);
    g.sleep('until', until);
    g.graph('sub', { graph: inner, input });
    g.graph('no-input', { graph: graph('none').outputs({}) });
    expect(g.outputs({}).nodes).toMatchObject([
      { kind: 'event', schema, timeoutMs: 9 },
      { kind: 'event', schema: null, timeoutMs: null },
      { kind: 'sleep', time: 0 },
      { kind: 'sleep', time: until },
      { kind: 'graph', graph: inner, input },
      { kind: 'graph', graph: { name: 'none' }, input: null },
    ]);
  });

  it.each<[string, (g: Builder<void, void>) => unknown, string]>([
    ['a time before now', (g) => g.sleep('a', -1), 'the time must be a number from 0'],
    ['a date', (g) => g.sleep('a', untyped(new Date())), 'the time must be milliseconds or a'],
    ['a sleep with options of a task', (g) => g.sleep('a', 1, untyped({ if: one })), 'if is not'],
    ['an event that runs', (g) => g.event('a', untyped({ run: one })), 'run is not an option'],
    ['an event out of time', (g) => g.event('a', { timeoutMs: -1 }), 'timeoutMs must be a number'],
    ['no schema', (g) => g.event('a', { schema: untyped('x') }), 'schema must be a Standard'],
    ['no graph', (g) => g.graph('a', untyped({})), 'graph must be a graph: what outputs()'],
    ['a builder', (g) => g.graph('a', untyped({ graph: g })), 'graph must be a graph'],
    [
      'an input that is no function',
      (g) => g.graph('a', untyped({ graph: graph('b').outputs({}), input: {} })),
      'input must be a function, not an object',
    ],
  ])('are refused: %s', (_, add, problem) => {
    expect(() => add(newGraph())).toThrow(problem);
  });
});
