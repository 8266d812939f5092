import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  anyOf,
  type Builder,
  type Edge,
  graph,
  type Node,
  onFailure,
  optional,
  orderOnly,
  PermanentError,
  type Run,
  RunFailedError,
  settled,
  startRun,
  type TaskContext,
} from '../../../src/index.js';
import { range } from '../../support/factories.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

/*
 * Whatever the graph, and whatever its handlers do, a run ends; and how each node ends is what a model says that knows
 * nothing of tasks, signals or gates. So it is of a rerun once the handlers that failed no longer do, which keeps what it says.
 */
const t = useTestBox();
const RUNS = 40;
const MODES = ['plain', 'orderOnly', 'optional', 'settled', 'onFailure', 'anyOf'] as const;
const KINDS = ['task', 'task', 'task', 'map', 'zip', 'graph', 'sleep', 'spawn'] as const;

interface Spec {
  readonly kind: (typeof KINDS)[number];
  readonly behaviour: 'works' | 'fails' | 'is not wanted';
  readonly size: number;
  /** Of maps: whether it is their items that fail, or what these spawn. */
  readonly spawns: boolean;
  /** Places among the nodes before it. */
  readonly over: number;
  readonly deps: readonly { readonly at: number; readonly mode: (typeof MODES)[number] }[];
}

const spec: fc.Arbitrary<Spec> = fc.record({
  kind: fc.constantFrom(...KINDS),
  behaviour: fc.constantFrom('works', 'works', 'works', 'fails', 'is not wanted'),
  size: fc.integer({ min: 0, max: 3 }),
  spawns: fc.boolean(),
  over: fc.nat(1_000),
  deps: fc.array(fc.record({ at: fc.nat(1_000), mode: fc.constantFrom(...MODES) }), {
    maxLength: 3,
  }),
});

type End = 'completed' | 'aborted' | 'skipped';

interface Placed {
  readonly spec: Spec;
  readonly kind: Spec['kind'];
  readonly over: number;
  readonly deps: Spec['deps'];
}

/** What stands where in the graph: a map needs a list, or a map that spawns nothing, before it. */
function place(specs: readonly Spec[]): Placed[] {
  const placed: Placed[] = [];
  for (const [i, one] of specs.entries()) {
    const maps = placed.flatMap(({ kind, spec: { spawns } }, at) =>
      (kind === 'map' || kind === 'zip') && !spawns ? [at] : [],
    );
    const lists = placed.flatMap(({ kind }, at) => (kind === 'task' ? [at] : []));
    const wanted = one.kind === 'zip' ? maps : lists;
    const isMap = one.kind === 'map' || one.kind === 'zip';
    const kind = isMap && wanted.length === 0 ? 'task' : one.kind;
    const over = wanted[one.over % Math.max(1, wanted.length)] ?? 0;
    const deps = i === 0 ? [] : one.deps.map(({ at, mode }) => ({ at: at % i, mode }));
    placed.push({ spec: one, kind, over, deps });
  }
  return placed;
}

function predict(nodes: readonly Placed[]): { ends: End[]; isFailed: boolean } {
  const ends: End[] = [];
  const sizes: number[] = [];
  for (const { spec: one, kind, over, deps } of nodes) {
    const isMap = kind === 'map' || kind === 'zip';
    sizes.push(isMap ? (sizes[over] ?? 0) : one.size);
    const lets = deps.every(({ at, mode }) => {
      if (mode === 'optional' || mode === 'settled') return true;
      return ends[at] === (mode === 'onFailure' ? 'aborted' : 'completed');
    });
    const hasCondition = kind === 'task' || kind === 'spawn' || isMap;
    if (!lets || (isMap && ends[over] !== 'completed')) ends.push('skipped');
    else if (hasCondition && one.behaviour === 'is not wanted') ends.push('skipped');
    else if (kind === 'sleep' || one.behaviour !== 'fails') ends.push('completed');
    else ends.push(isMap && sizes.at(-1) === 0 ? 'completed' : 'aborted');
  }
  const weak = nodes.flatMap(({ deps }) =>
    deps.flatMap(({ at, mode }) => (mode === 'plain' || mode === 'orderOnly' ? [] : [at])),
  );
  const isUnhandled = ends.some((end, i) => end === 'aborted' && !weak.includes(i));
  return { ends, isFailed: isUnhandled || ends.at(-1) !== 'completed' };
}

type AnyNode = Node<unknown>;

const MODIFIERS: Record<(typeof MODES)[number], (node: AnyNode) => AnyNode | Edge<unknown>> = {
  plain: (node) => node,
  orderOnly,
  optional,
  settled,
  onFailure,
  anyOf,
};

function inner(fails: boolean, name = 'inner') {
  const g = graph(name);
  const a = g.task('a', { run: () => work(fails, 1) });
  const b = g.task('b', { after: { a }, run: ({ deps }) => deps.a });
  return g.outputs({ b });
}

/** A worker knows each by its name, whoever spawns it. */
const SPAWNED = { works: inner(false, 'works'), fails: inner(true, 'fails') };

/** From then on no handler fails. */
let isMended = false;

function work<T>(fails: boolean, value: T): T {
  if (fails && !isMended) throw new PermanentError('as told');
  return value;
}

function build(nodes: readonly Placed[], name: string) {
  const g = graph(name);
  const handles: AnyNode[] = [];
  for (const [i, node] of nodes.entries()) handles.push(add(g, `n${i}`, node, handles));
  const [last] = handles.slice(-1);
  if (!last) throw new Error('a graph of no nodes');
  return g.outputs({ last });
}

function add(
  g: Builder<void, void>,
  id: string,
  { spec: one, kind, over, deps }: Placed,
  handles: readonly AnyNode[],
): AnyNode {
  const after = Object.fromEntries(
    deps.map(({ at, mode }, i) => [`d${i}`, MODIFIERS[mode](handles[at] as AnyNode)]),
  );
  const fails = one.behaviour === 'fails';
  const condition = { if: () => one.behaviour !== 'is not wanted' };
  switch (kind) {
    case 'task':
      return g.task(id, { after, ...condition, run: () => work(fails, range(one.size)) });
    case 'spawn': {
      const { works, fails: failing } = SPAWNED;
      const run = async ({ spawn }: Pick<TaskContext<void, object>, 'spawn'>) => {
        for (const _ of range(one.size)) await spawn(works);
        return fails ? (await spawn(failing)).id : 'none';
      };
      return g.task(id, { after, ...condition, spawns: [works, failing], run });
    }
    case 'sleep':
      return g.sleep(id, 0, { after });
    case 'graph':
      return g.graph(id, { graph: inner(fails), after });
    default: {
      const list = handles[over] as Node<readonly number[]>;
      const shared = { over: list, after, ...condition };
      if (!one.spawns) return g.map(id, { ...shared, run: ({ item }) => work(fails, item) });
      const { works, fails: failing } = SPAWNED;
      return g.map(id, {
        ...shared,
        spawns: [works, failing],
        run: async ({ item, spawn }) => {
          await spawn(fails ? failing : works);
          return item;
        },
      });
    }
  }
}

function mended(node: Placed): Placed {
  const { spec: one } = node;
  return one.behaviour === 'fails' ? { ...node, spec: { ...one, behaviour: 'works' } } : node;
}

async function expectEnd(run: Run<unknown>, nodes: readonly Placed[]): Promise<void> {
  const result = await run.result({ timeoutMs: 20_000 }).then(
    () => 'completed',
    (error) => (error instanceof RunFailedError ? 'failed' : Promise.reject(error)),
  );
  const states = await run.nodes();
  const { ends, isFailed } = predict(nodes);
  const own = states.filter(({ node }) => !node.includes('/'));
  expect(own.map(({ statusCode }) => statusCode)).toEqual(ends);
  expect(result).toBe(isFailed ? 'failed' : 'completed');
  const { counts } = await run.status();
  expect(counts).toMatchObject({ pending: 0, 'in-progress': 0, cancelled: 0 });
}

it('a run ends as the model says, whatever the graph, and so does a rerun from failed', async () => {
  t.allow({ signalsMayOutnumberSenders: true });
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(spec, { minLength: 5, maxLength: 30 }), async (specs) => {
      const nodes = place(specs);
      const definition = build(nodes, `random${count++}`);
      const store = t.box;
      isMended = false;
      const worker = await startWorker(store, [definition]);
      const run = await startRun(store, definition, undefined);
      await expectEnd(run, nodes);
      isMended = true;
      const { keeps } = await run.rerun({ from: 'failed', preview: true });
      const kept = keeps.map((node) => `${run.id}/${node}`);
      const before = await store.getTasks(kept);
      await run.rerun({ from: 'failed' });
      await expectEnd(run, nodes.map(mended));
      expect(await store.getTasks(kept)).toEqual(before);
      await worker.stop();
    }),
    { numRuns: RUNS },
  );
});
