// Maintenance: why a task does not go on, what is stuck, and cleaning up by schedule.
import assert from 'node:assert/strict';
import { ActionManager, connect, defineActor, inspect, maintenanceActor } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

// A run: its tasks lie below it as paths.
await box.insertTasks([
  { id: 'etl/1', action: null },
  { id: 'etl/1/extract', action: 'extract', toSignalAfter: ['etl/1/load'] },
  { id: 'etl/1/load', action: 'load', toSignalAfter: ['etl/1'] },
]);
console.log(await box.countTasks({ idPrefix: 'etl/' }));

// Nobody is there yet.
const [waits] = (await box.why('etl/1')).reasons;
assert.equal(waits?.kind, 'signals');
for (const { id, reasons } of waits.roots) console.log(id, reasons);
for await (const { id, standing } of inspect(box, { stuckAfterMs: 0 })) {
  assert.equal(id, 'etl/1/extract');
  assert.equal(standing.reasons[0]?.kind, 'no-worker');
}

await using etl = new ActionManager(box, defineActor('etl', { extract: () => 7, load: () => 7 }));
await etl.start();
await box.waitFor('etl/1');

// Cleaning and inspecting are tasks like any other. Without minAgeMs: 0, runs stay for 15 minutes.
const maintenance = maintenanceActor(box, {
  clean: { minAgeMs: 0, idPrefix: 'etl/' },
  onStuck: ({ id, standing }) => console.log('stuck:', id, standing.reasons),
});
await using manager = new ActionManager(box, maintenance, { workers: 1 });
await manager.start();
await box.schedules.put({ name: 'clean', cron: '0 3 * * *', task: { action: 'signalbox.clean' } });
await box.schedules.put({
  name: 'inspect',
  cron: '@hourly',
  task: { action: 'signalbox.inspect' },
});

// Not to wait until three at night:
const { result } = await box.waitFor(await box.schedules.runNow('clean'));
assert.deepEqual(result, { deleted: 3 });
assert.equal(await box.getTask('etl/1'), null);

await box.purgeTasks({ idPrefix: 'clean/', statusCodes: ['completed'] });
console.log(await box.countTasks());
