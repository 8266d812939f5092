// Routine work in this process, no database: five at once, the producer held up while there is no room, retries.
import assert from 'node:assert/strict';
import { TaskPool } from 'signalbox';

/** A mail server that refuses every third letter the first time. */
async function send(letter: number, attempt: number, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  if (letter % 3 === 0 && attempt === 1) throw new Error('421 try again later');
  if (letter === 50) throw new Error('550 no such mailbox');
  return `letter ${letter} sent at attempt ${attempt}`;
}

await using pool = new TaskPool({ workers: 5, queueSize: 10 });
const tasks = [];
for (let letter = 1; letter <= 50; letter++) {
  // Resolves once there is room: at most 15 letters are in the pool, however many are to be sent.
  const task = await pool.queue(({ signal, attempt }) => send(letter, attempt, signal), {
    retries: 2,
    backoff: { delayMs: 10, factor: 2, jitter: 0.2 },
    timeoutMs: 5_000,
    error: `letter ${letter} was not sent`,
  });
  tasks.push(task.result());
}

const results = await Promise.allSettled(tasks);
await pool.stop();
const failures = results.filter((result) => result.status === 'rejected');
assert.equal(failures.length, 1);
console.log(results.length - failures.length, 'sent;', failures[0]?.reason.message);
