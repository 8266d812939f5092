// Prefixes: two tenants, or two tests, with the same ids in one database never meet.
import assert from 'node:assert/strict';
import { connect } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

const red = box.withPrefix('red');
const blue = box.withPrefix('blue');
await red.insertTasks([{ id: 'job', action: 'paint' }]);
await blue.insertTasks([{ id: 'job', action: 'paint' }]);

const [owned] = await red.ownTasks({ actorId: 'me', actions: ['paint'], maxTasks: 10 });
assert(owned);
await red.returnTask(owned.id, owned.token, { statusCode: 'completed', result: 'red' });

assert.equal((await red.waitFor('job')).result, 'red');
assert.equal((await blue.getTask('job'))?.statusCode, 'pending');
for await (const task of box.listTasks()) console.log(task.id, task.statusCode);
