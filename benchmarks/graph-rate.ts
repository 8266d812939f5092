// Ten thousand diamonds 1-8-1 through typed graphs, one run each, against the same tasks in the raw store, in turns.
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
  const handle: Actor['handle'] = async (task, context) => {
    const result = await actor.handle(task, context);
    if (--left === 0) done();
    return result;
  };
  return { actor: { id, actions, ...(settings ? { settings } : {}), handle }, all };
}

/** Nodes a second: the run's own task is not counted. */
async function measure(actor: Actor, tasks: Iterable<TaskInput>) {
  const before = performance.now();
  const { inserted: total } = await box.insertTasks(tasks);
  const inserted = performance.now();
  const counted = counting(actor, total);
  const manager = new ActionManager(box, counted.actor, OPTIONS);
  await manager.start();
  await counted.all;
  await manager.stop();
  const ended = performance.now();
  const rate = (ms: number) => Math.round((numDiamonds * (WIDTH + 2)) / (ms / 1_000));
  return {
    insert: rate(inserted - before),
    perform: rate(ended - inserted),
    all: rate(ended - before),
  };
}

for (let round = 0; round < numRounds; round++) {
  const rawRate = await measure(raw, rawTasks(round));
  const graphRate = await measure(new GraphActor(box, [definition]), graphTasks(round));
  const ratio = (graphRate.perform / rawRate.perform).toFixed(2);
  console.log(JSON.stringify({ raw: rawRate, graph: graphRate, ratio }));
}
await box.close();
await server.stop();
