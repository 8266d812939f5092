// A manager in full: two actors, settings by action, middleware, hooks, events, learning at run time.
import assert from 'node:assert/strict';
import {
  ActionManager,
  connect,
  deadline,
  defineActor,
  logTasks,
  PermanentError,
  SnoozeError,
} from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

const media = defineActor('media', {
  resize: {
    schema: { type: 'object', required: ['file'], properties: { file: { type: 'string' } } },
    concurrency: 2,
    timeoutMs: 30_000,
    retry: { delayMs: 5, factor: 2, jitter: 0.2 },
    maxTries: 3,
    handle: async ({ id, numTries }, { signal, values }) => {
      signal.throwIfAborted();
      if (id === 'flaky' && numTries < 3) throw new Error('the disk is busy');
      if (id === 'broken') throw new PermanentError('not an image');
      return { by: String(values.get('host')) };
    },
  },
});
const mail = defineActor('mail', {
  send: {
    autoDelete: true,
    handle: ({ body }) => {
      const isNight = Object(body).isNight === true && Date.now() < wakeUp;
      if (isNight) throw new SnoozeError(new Date(wakeUp));
    },
  },
});
const wakeUp = Date.now() + 100;

const outcomes: string[] = [];
const log = (fields: object, message: string) => console.log(message, JSON.stringify(fields));
const logger = { debug: () => {}, info: log, warn: log, error: log };
const manager = new ActionManager(box, [media, mail], {
  workers: 4,
  onReturned: ({ id }, { statusCode }, error) => {
    outcomes.push(`${id} ${statusCode}${error instanceof Error ? `: ${error.message}` : ''}`);
  },
});
manager.use(logTasks(logger));
manager.use(async (_, { values }, next) => {
  values.set('host', 'worker-1');
  return next();
});
manager.use(
  deadline({
    by: ({ body }) => {
      const { by }: { by?: unknown } = Object(body);
      return typeof by === 'string' ? new Date(by) : null;
    },
  }),
);
manager.on('retried', ({ task, delayMs }) => console.log(`${task.id} again in ${delayMs} ms`));
await manager.start();

const file = 'photo.jpg';
await box.insertTasks([
  { id: 'photo', action: 'resize', body: { file } },
  { id: 'flaky', action: 'resize', body: { file } },
  { id: 'broken', action: 'resize', body: { file } },
  { id: 'too late', action: 'resize', body: { file, by: '2020-01-01T00:00:00Z' } },
  { id: 'letter', action: 'send', body: { isNight: true } },
]);
const [photo, flaky, broken, late] = await box.waitFor(['photo', 'flaky', 'broken', 'too late']);
assert.deepEqual(photo?.result, { by: 'worker-1' });
assert.equal(flaky?.statusCode, 'completed');
assert.equal(broken?.status, 'not an image');
assert.match(late?.status ?? '', /was to begin by 2020/);
const { attempts } = (await box.getTask('flaky', { attempts: true })) ?? {};
assert.deepEqual(
  attempts?.map(({ status }) => status),
  ['the disk is busy', 'the disk is busy'],
);

// At run time: the manager follows at once.
media.learn('rotate', ({ body }) => ({ rotated: body }));
await box.insertTasks([{ id: 'turn', action: 'rotate', body: 90 }]);
assert.deepEqual((await box.waitFor('turn')).result, { rotated: 90 });
media.forget('rotate');

// Runs out what has begun, hands back the rest, waits for hooks.
await manager.stop({ timeoutMs: 10_000 });
console.log(outcomes);
console.log(manager.stats());
