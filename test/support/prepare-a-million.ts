// Prepares an insert of a million tasks (100,000 diamonds 1-8-1) from an async generator, drains its rows and
// prints what that took, as JSON. Run in a process of its own, with a heap of the size to be proved sufficient.
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { prepareInsert } from '../../src/store/prepare-insert.js';
import type { TaskInput } from '../../src/store/task-store.js';

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

const start = performance.now();
const prepared = await prepareInsert(diamonds());
const prepareMs = performance.now() - start;
const { heapUsed, external } = process.memoryUsage();
let bytes = 0;
const nowhere = new Writable({
  write(chunk: Buffer, _, done) {
    bytes += chunk.length;
    setImmediate(done);
  },
});
await pipeline(prepared.copyData(), nowhere);
await prepared.dispose();
const drainMs = performance.now() - start - prepareMs;
const maxRssBytes = process.resourceUsage().maxRSS * 1024;
const report = {
  count: prepared.count,
  bytes,
  prepareMs,
  drainMs,
  heapUsed,
  external,
  maxRssBytes,
};
console.log(JSON.stringify(report));
