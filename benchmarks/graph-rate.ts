// Ten thousand diamonds 1-8-1 through typed graphs, one run each, against the same tasks in the raw store, in turns,
// each first in every other round: the table grows, and who comes later finds autovacuum at work.
//
// Measured on two cores that others used as well, hence in CPU time a task, of this process and of Postgres:
//   each node reading what it depends on in its turn   35 and 63 us   ratios 0.36 to 0.84, median 0.59
//   what a claim depends on read before it is handed out   24 and 47 us   0.60 to 0.72 with little load
//   no promise where nothing is waited for   21 and 49 us   0.60 to 0.70; under a load of 9 to 23 0.38 to 0.72, medians 0.64 and 0.53
//   the raw store                            12 and 38 us
//   after the raw store became 15 % faster   0.62 to 0.66, median 0.63; 20 us of this process against 11
//   what became ready together, in several lanes, is claimed together   0.61 to 0.68, median 0.64; 0.70 counting the run's task
//   no table of what was read ahead, no object copied a task   19 and 64 us   medians 0.64 to 0.72
//   ready found by a hash of its lane   19 and 54 us   0.55 to 0.92, median 0.71 of 36 rounds; of six runs 0.65 to 0.74
// Reading first helped most by what it left undone: handlers were short again, so that 68,000 tasks of 88,000 need no longer be
// owned ahead, and announced by an update each when they began. The same tasks with a handler that does nothing
// and no graph layer came to 0.49 to 0.99 of the raw store, median 0.88: a run has a task of its own, which is not counted as a node.
// Usage: tsx benchmarks/graph-rate.ts [diamonds] [rounds]

import {
  ActionManager,
  type Actor,
  connect,
  defineActor,
  GraphActor,
  graph,
  runTasks,
  type TaskInput,
} from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';
import { median } from './statistics.js';

const WIDTH = 8;
const [numDiamonds = 10_000, numRounds = 3] = process.argv.slice(2).map(Number);
const OPTIONS = { workers: 500, maxTasks: 500, channelSize: 1_500 };

const g = graph<{ n: number }>('diamond');
const first = g.task('first', { run: ({ input }) => input.n });
const middle = Array.from({ length: WIDTH }, (_, i) =>
  g.task(`middle${i}`, { after: { first }, run: ({ deps }) => deps.first + i }),
);
const [a, b, c, d, e, f, h, k] = middle;
if (!a || !b || !c || !d || !e || !f || !h || !k) throw new Error('eight');
const last = g.task('last', {
  after: { a, b, c, d, e, f, h, k },
  run: ({ deps }) => deps.a + deps.k,
});
const definition = g.outputs({ last });

function* graphTasks(round: number): Generator<TaskInput> {
  for (let i = 0; i < numDiamonds; i++) {
    yield* runTasks(definition, `diamond/${round}-${i}`, { n: i });
  }
}

function* rawTasks(round: number): Generator<TaskInput> {
  for (let i = 0; i < numDiamonds; i++) {
    const id = `raw/${round}-${i}`;
    const middles = Array.from({ length: WIDTH }, (_, n) => `${id}/middle${n}`);
    yield { id: `${id}/first`, action: 'raw', body: { n: i }, toSignalAfter: middles };
    for (const one of middles)
      yield { id: one, action: 'raw', body: { n: i }, toSignalAfter: [`${id}/last`] };
    yield { id: `${id}/last`, action: 'raw', body: { n: i } };
  }
}

const server = await startEmbedded();
const box = await connect({ connectionString: server.connectionString });
await box.migrate();
const raw = defineActor('raw', { raw: async () => 1 });

/** An actor that tells when so many of its tasks have been handled. */
function counting(actor: Actor, total: number): { actor: Actor; all: Promise<void> } {
  let left = total;
  let done: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const { id, actions, settings } = actor;
  const prepare = actor.prepare?.bind(actor);
  const handle: Actor['handle'] = async (task, context) => {
    const result = await actor.handle(task, context);
    if (--left === 0) done();
    return result;
  };
  const more = { ...(settings ? { settings } : {}), ...(prepare ? { prepare } : {}) };
  return { actor: { id, actions, handle, ...more }, all };
}

/** Nodes a second, the run's own task not counted; CPU of this process in microseconds a task, which counts it. */
async function measure(actor: Actor, tasks: Iterable<TaskInput>) {
  const before = performance.now();
  const { inserted: total } = await box.insertTasks(tasks);
  const inserted = performance.now();
  const cpuBefore = process.cpuUsage();
  const counted = counting(actor, total);
  const manager = new ActionManager(box, counted.actor, OPTIONS);
  await manager.start();
  await counted.all;
  await manager.stop();
  const ended = performance.now();
  const { user, system } = process.cpuUsage(cpuBefore);
  const rate = (ms: number) => Math.round((numDiamonds * (WIDTH + 2)) / (ms / 1_000));
  return {
    insert: rate(inserted - before),
    perform: rate(ended - inserted),
    all: rate(ended - before),
    cpuUs: Math.round((10 * (user + system)) / total) / 10,
  };
}

const measures = {
  raw: (round: number) => measure(raw, rawTasks(round)),
  graph: (round: number) => measure(new GraphActor(box, [definition]), graphTasks(round)),
};
const ratios: number[] = [];
for (let round = 0; round < numRounds; round++) {
  const isRawFirst = round % 2 === 0;
  const early = isRawFirst ? await measures.raw(round) : undefined;
  const ofGraph = await measures.graph(round);
  const ofRaw = early ?? (await measures.raw(round));
  const ratio = ofGraph.perform / ofRaw.perform;
  ratios.push(ratio);
  console.log(JSON.stringify({ raw: ofRaw, graph: ofGraph, ratio: ratio.toFixed(2) }));
}
console.log(JSON.stringify({ median: median(ratios).toFixed(2) }));
await box.close();
await server.stop();
