// Tasks performed in a loop of one's own instead of by handlers.
import { ActionManager, connect } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();
await box.insertTasks(
  ['a', 'b', 'c'].map((id) => ({ id, action: 'review', body: id.toUpperCase(), maxTries: 2 })),
);

await using manager = new ActionManager(
  box,
  { id: 'reviewer', actions: ['review'] },
  { workers: 2 },
);
let left = 3;
for await (const job of manager.jobs()) {
  if (job.task.id === 'b' && job.task.numTries === 1) {
    job.fail(new Error('look again'));
    continue;
  }
  job.complete(`${job.task.body} is fine`);
  if (--left === 0) break;
}
await manager.stop();
for await (const { id, result, numTries } of box.listTasks())
  console.log(id, result, `after ${numTries} tries`);
