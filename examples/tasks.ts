// Tasks without a graph: each names what it signals when it ends, and an actor performs them.
// This is what graphs are made of: rows, edges and counters.
import assert from 'node:assert/strict';
import { ActionManager, connect, defineActor } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

await box.insertTasks([
  { id: 'copy-a', action: 'copy', body: { file: 'a.txt' }, toSignalAfter: ['report'] },
  { id: 'copy-b', action: 'copy', body: { file: 'b.txt' }, toSignalAfter: ['report'] },
  { id: 'report', action: 'report', maxTries: 3 },
]);

const actor = defineActor('worker-1', {
  copy: async (task) => ({ copied: task.body }),
  report: async (task) => `${task.numSignalledFailures} of the copies failed`,
});
await using manager = new ActionManager(box, actor);
await manager.start();

const outcome = await box.waitFor('report');
assert.equal(outcome.result, '0 of the copies failed');
console.log(outcome);
