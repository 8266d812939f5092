import { expect, it } from 'vitest';
import { Attempt } from '../../../src/pool/attempt.js';
import { heldTask } from './pool-under-test.js';
import { VirtualClock } from './virtual-clock.js';

/** An attempt at a task that goes on until the test ends it, and the signal that it got. */
async function heldAttempt() {
  const { fn, begun, end } = heldTask<string>();
  const clock = new VirtualClock();
  let signal: AbortSignal | undefined;
  const attempt = new Attempt<string>(
    (context) => {
      signal = context.signal;
      return fn();
    },
    { attempt: 1, timeoutMs: 10, clock },
  );
  await begun;
  return { attempt, clock, end, signal: () => signal };
}

it('an abort that comes when it is over fires no signal', async () => {
  const { attempt, clock, end, signal } = await heldAttempt();
  end('done');
  expect(await attempt.over).toEqual({ ok: true, value: 'done' });
  attempt.abort(new Error('too late'));
  await clock.pass(10);
  expect(signal()?.aborted).toBe(false);
});

it('the first abort stands', async () => {
  const { attempt, clock, end, signal } = await heldAttempt();
  const reason = new Error('first');
  attempt.abort(reason);
  attempt.abort(new Error('second'));
  end('done');
  await clock.pass(10);
  expect(await attempt.over).toEqual({ ok: false, thrown: reason });
  expect(signal()?.reason).toBe(reason);
});
