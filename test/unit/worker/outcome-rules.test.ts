import { describe, expect, it } from 'vitest';
import { PermanentError, ResultTooLargeError, SnoozeError } from '../../../src/errors.js';
import { DEFAULT_RETRY, OutcomeRules } from '../../../src/worker/outcome-rules.js';
import { UnknownActionError } from '../../../src/worker/worker-errors.js';
import { ownedTask } from './owned-task.js';

const rules = new OutcomeRules({ retry: DEFAULT_RETRY, maxTries: 25, random: () => 0.5 });

describe('what a throw is returned as', () => {
  it.each([
    [1, 100],
    [2, 200],
    [11, 102_400],
    [24, 3_600_000],
  ])('after try %i: pending, back after %i ms', (numTries, retryDelayMs) => {
    expect(rules.ofThrown(ownedTask('t', { numTries }), new Error('no'))).toEqual({
      statusCode: 'pending',
      status: 'no',
      retryDelayMs,
      error: expect.stringMatching(/^Error: no\n +at /),
    });
  });

  it('after the last try allowed: aborted, and says so', () => {
    const last = ownedTask('t', { numTries: 25 });
    const status = 'gave up after 25 tries: no';
    expect(rules.ofThrown(last, new Error('no'))).toMatchObject({ statusCode: 'aborted', status });
    const once = { maxTries: 1 };
    expect(rules.ofThrown(ownedTask('t'), new Error('no'), once).status).toBe(
      'gave up after 1 try: no',
    );
  });

  it('goes by the action before the manager', () => {
    const settings = { retry: { delayMs: 7, factor: 3 }, maxTries: Number.POSITIVE_INFINITY };
    expect(rules.ofThrown(ownedTask('t', { numTries: 30 }), 1, settings).statusCode).toBe(
      'pending',
    );
    expect(rules.ofThrown(ownedTask('t', { numTries: 3 }), 1, settings).retryDelayMs).toBe(63);
  });

  it('leaves a limit of the task itself to the database', () => {
    const settings = { maxTries: 2 };
    const own = ownedTask('t', { numTries: 40, maxTries: 50 });
    expect(rules.ofThrown(own, new Error('no'), settings).statusCode).toBe('pending');
    expect(rules.ofPoison(own, settings)).toBeNull();
  });

  it('is aborted for what another try would not mend', () => {
    for (const error of [new PermanentError('never'), new ResultTooLargeError('t', 9, 8)]) {
      expect(rules.ofThrown(ownedTask('t'), error)).toMatchObject({
        statusCode: 'aborted',
        status: error.message,
      });
    }
  });

  it('gives a snooze, and an action that is not known, their try back', () => {
    const startAfter = new Date(9e12);
    expect(rules.ofThrown(ownedTask('t'), new SnoozeError(startAfter))).toMatchObject({
      statusCode: 'pending',
      startAfter,
    });
    const unknown = rules.ofThrown(ownedTask('t'), new UnknownActionError('x'));
    expect(unknown.startAfter?.getTime()).toBeGreaterThan(Date.now() + 20_000);
  });

  it('holds causes, and is cut', () => {
    const error = new Error('outer', { cause: new Error('inner '.repeat(10_000)) });
    const text = rules.ofThrown(ownedTask('t'), error).error ?? '';
    expect(text).toContain('[cause]: Error: inner');
    expect(text).toHaveLength(16_384);
  });
});

describe('what a result is returned as', () => {
  it('is what the actor said, with the action asking for deletion', () => {
    const result = { statusCode: 'completed', result: 1 } as const;
    expect(rules.ofResult(ownedTask('t'), result)).toBe(result);
    expect(rules.ofResult(ownedTask('t'), result, { autoDelete: true })).toEqual({
      ...result,
      autoDelete: true,
    });
  });

  it('that asks for another try is not delayed, but the tries are limited', () => {
    const pending = { statusCode: 'pending', status: 'not yet' } as const;
    expect(rules.ofResult(ownedTask('t'), pending)).toBe(pending);
    expect(rules.ofResult(ownedTask('t', { numTries: 25 }), pending)).toEqual({
      statusCode: 'aborted',
      status: 'gave up after 25 tries: not yet',
    });
    const later = { ...pending, startAfter: new Date() };
    expect(rules.ofResult(ownedTask('t', { numTries: 25 }), later)).toBe(later);
  });
});

describe('a task that was tried as often as allowed', () => {
  it('is not performed when its last try never came back', () => {
    expect(rules.ofPoison(ownedTask('t', { numTries: 25 }))).toBeNull();
    expect(rules.ofPoison(ownedTask('t', { numTries: 26 }))).toMatchObject({
      statusCode: 'aborted',
      status: expect.stringMatching(/tried 25 times.*may kill its workers/),
    });
  });
});
