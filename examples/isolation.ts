// A namespace a test: two tests run the same graph at the same time in one database, and never meet.
// Each has runs, workers and limits of its own, though both call their run `1` and let one item run at once.
import assert from 'node:assert/strict';
import { connect, graph } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

const g = graph<{ name: string }>('greeting');
const names = g.task('names', { run: ({ input }) => [input.name, input.name.toUpperCase()] });
const greet = g.map('greet', {
  over: names,
  concurrency: 1,
  run: ({ item }) => `hello, ${item}`,
});
const greeting = g.outputs({ greet });

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

/** What a test would do: in a namespace of its own, which is made by naming it. */
async function testGreeting(prefix: string): Promise<string[]> {
  const namespace = box.withPrefix(prefix);
  await using worker = namespace.worker([greeting]);
  await worker.start();
  const run = await namespace.start(greeting, { name: prefix }, { runId: '1' });
  const { greet } = await run.result();
  const all = await greet.all();
  await run.delete();
  return all;
}

const [red, blue] = await Promise.all([testGreeting('red'), testGreeting('blue')]);
assert.deepEqual(red, ['hello, red', 'hello, RED']);
assert.deepEqual(blue, ['hello, blue', 'hello, BLUE']);
assert.deepEqual(await box.countTasks(), []);
console.log(red, blue, 'and nothing is left');
