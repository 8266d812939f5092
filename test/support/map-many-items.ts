// Starts a run that maps 100,000 items to results of 1 kB, performs it, reads all results in a node and once more
// from outside, and prints what that took, as JSON. Run in a process of its own, with a heap of the size to be proved
// sufficient: arguments: URL, schema.
import { connect, graph } from '../../src/index.js';

const NUM_ITEMS = 100_000;
const WAIT = { timeoutMs: 240_000 };

const g = graph('many-items');
const list = g.task('list', { run: () => Array.from({ length: NUM_ITEMS }, (_, i) => i) });
const each = g.map('each', {
  over: list,
  run: ({ item }) => String(item).padEnd(1_000, '.'),
});
const total = g.task('total', {
  after: { each },
  run: async ({ deps }) => {
    let bytes = 0;
    for await (const one of deps.each) bytes += one.length;
    return { bytes, count: deps.each.count };
  },
});
const definition = g.outputs({ each, total });

const [connectionString = '', schema = ''] = process.argv.slice(2);
const box = await connect({ connectionString, schema });
const worker = box.worker([definition], { workers: 500 });
await worker.start();
const start = performance.now();
const run = await box.start(definition, undefined);
const { each: results, total: inside } = await run.result(WAIT);
const runMs = performance.now() - start;
let inOrder = 0;
for await (const one of results) if (Number.parseInt(one, 10) === inOrder) inOrder++;
const asked = performance.now();
const { counts } = await run.status();
const statusMs = performance.now() - asked;
await worker.stop();
await box.close();
const maxRssBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ inside, inOrder, counts, runMs, statusMs, maxRssBytes }));
