// Schedules: a task every second, by two schedulers at once, and yet each due time fires once.
import assert from 'node:assert/strict';
import { ActionManager, connect, defineActor } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

const ids: string[] = [];
let onSecond = () => {};
const second = new Promise<void>((resolve) => {
  onSecond = resolve;
});
const actor = defineActor('clock', {
  tick: async (task) => {
    console.log(task.id);
    if (ids.push(task.id) === 2) onSecond();
  },
});
await using manager = new ActionManager(box, actor);
await manager.start();

// Every process may put its schedules when it starts: what stands already is left as it is.
await box.schedules.put({ name: 'tick', everyMs: 1_000, task: { action: 'tick' } });
await box.schedules.put({
  name: 'report',
  cron: '30 2 * * MON-FRI',
  timeZone: 'Europe/Berlin',
  task: { action: 'report', maxTries: 3 },
  catchUp: 'all',
});
await using one = box.scheduler();
await using other = box.scheduler();
one.start();
other.start();

await second;
await box.schedules.pause('tick');
assert.equal(new Set(ids).size, ids.length);

for (const { name, nextDue, next } of await box.schedules.list()) {
  console.log(name, nextDue ?? 'paused', next(2));
}
console.log(await box.schedules.runNow('report'));
