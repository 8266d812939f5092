// Jobs by hand: a loop of your own takes tasks, as many at once as there are workers, and settles them when it likes.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ActionManager, connect, type ManualJob } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

const ids = Array.from({ length: 20 }, (_, i) => `page-${i}`);
await box.insertTasks(ids.map((id) => ({ id, action: 'crawl', body: { url: `/${id}` } })));

// An actor without handlers.
const manager = new ActionManager(box, { id: 'crawler', actions: ['crawl'] }, { workers: 4 });

async function crawl(job: ManualJob): Promise<void> {
  try {
    // The signal fires if the task is cancelled, or lost.
    await delay(5, undefined, { signal: job.signal });
    await job.extend(); // The manager does so by itself: this is to ask whether the task is still ours.
    job.complete({ length: job.task.id.length });
  } catch (error) {
    job.fail(error);
  }
}

let numTaken = 0;
let mostAtOnce = 0;
for await (const job of manager.jobs()) {
  mostAtOnce = Math.max(mostAtOnce, manager.stats().performing);
  // Not awaited: the loop goes on to the next job, and waits there once four are in hand.
  void crawl(job);
  if (++numTaken === ids.length) break;
}
const outcomes = await box.waitFor(ids);
await manager.stop({ timeoutMs: 5_000 });
assert.ok(outcomes.every(({ statusCode }) => statusCode === 'completed'));
assert.ok(mostAtOnce <= 4);
console.log(`${numTaken} pages crawled, at most ${mostAtOnce} at once`);
