// Inserts a million tasks (100,000 diamonds 1-8-1) from an async generator and prints what that took, as JSON.
// Run in a process of its own, with a heap of the size to be proved sufficient: arguments: URL, schema.
import { connect, type TaskInput } from '../../src/index.js';

const NUM_DIAMONDS = 100_000;
const WIDTH = 8;

async function* diamonds(): AsyncGenerator<TaskInput> {
  for (let i = 0; i < NUM_DIAMONDS; i++) {
    const body = { bucket: 'some-bucket', key: `objects/${i}/part.parquet`, size: i };
    const middle = Array.from({ length: WIDTH }, (_, n) => `run/diamond-${i}/middle-${n}`);
    const end = `run/diamond-${i}/end`;
    yield { id: `run/diamond-${i}/start`, action: 'begin', body, toSignalAfter: middle };
    for (const id of middle) yield { id, action: 'copy', body, toSignalAfter: [end] };
    yield { id: end, action: 'finish', body };
  }
}

const [connectionString = '', schema = ''] = process.argv.slice(2);
const box = await connect({ connectionString, schema });
const start = performance.now();
const { inserted } = await box.insertTasks(diamonds());
const insertMs = performance.now() - start;
await box.close();
const maxRssBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ inserted, insertMs, maxRssBytes }));
