// Two actors in one manager: an action learned while it runs, middleware, retries, and what became of each try.
import { ActionManager, connect, defineActor } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

let attempts = 0;
const mailer = defineActor('mailer', {
  send: {
    retry: { delayMs: 10, factor: 2 },
    handle: async (task) => {
      if (++attempts < 3) throw new Error('the mail server is busy');
      return { sent: task.body };
    },
  },
});
const indexer = defineActor('indexer');

await using manager = new ActionManager(box, [mailer, indexer], {
  workers: 10,
  onReturned: ({ id, numTries }, { statusCode }) =>
    console.log(`${id}, try ${numTries}: ${statusCode}`),
});
manager.use(async (task, _context, next) => {
  const result = await next();
  return { ...result, status: `performed by ${process.pid}: ${task.action}` };
});
await manager.start();

await box.insertTasks([
  { id: 'mail', action: 'send', body: 'hello', toSignalAfter: ['index'] },
  { id: 'index', action: 'index' },
]);
indexer.learn('index', async () => 'indexed');

const [mail, index] = await box.waitFor(['mail', 'index']);
console.log(mail?.result, index?.result);
const task = await box.getTask('mail', { attempts: true });
for (const { numTry, status } of task?.attempts ?? [])
  console.log(`try ${numTry} failed: ${status}`);
