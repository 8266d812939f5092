// A graph every night: the schedule starts a run at each due time, once however many processes run, and none while the
// last still goes on. The input is checked when the schedule is put, and again each night.
import assert from 'node:assert/strict';
import { connect, graph, ScheduleBusyError, scheduledRun, scheduledRunId } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';
import { z } from 'zod';

let onOpen = () => {};
const isOpen = new Promise<void>((resolve) => {
  onOpen = resolve;
});

const input = z.object({
  shop: z.string(),
  day: z.string().default(() => new Date().toISOString()),
});
const g = graph('report', { input });
const orders = g.task('orders', { run: () => isOpen.then(() => [19, 23]) });
const sum = g.task('sum', {
  after: { orders },
  run: ({ input, deps }) => ({
    title: `${input.shop}, ${input.day.slice(0, 10)}`,
    euros: deps.orders.reduce((a, b) => a + b),
  }),
});
const report = g.outputs({ sum });

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();
await using worker = box.worker([report]);
await worker.start();
await using scheduler = box.scheduler();
scheduler.start();

// Every process may put it when it starts: what stands already is left as it is.
const task = await scheduledRun(report, { shop: 'Berlin' });
const nightly = await box.schedules.put({
  name: 'nightly',
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  task,
});
console.log('next:', nightly.next(3));

// Not to wait until half past two:
const fired = await box.schedules.runNow('nightly');
await box.waitFor(fired);
await assert.rejects(box.schedules.runNow('nightly'), ScheduleBusyError);
onOpen();
const run = box.run(report, scheduledRunId(fired));
const result = await run.result();
assert.equal(result.sum.euros, 42);
assert.match(result.sum.title, /^Berlin, \d{4}-\d\d-\d\d$/);
console.log(run.id, result.sum);
