import { describe, expect, it, vi } from 'vitest';
import { SnoozeError } from '../../../src/errors.js';
import { noopLogger } from '../../../src/logger.js';
import type { ActionContext, ActorResult } from '../../../src/worker/actor.js';
import { deadline } from '../../../src/worker/middleware/deadline.js';
import { logTasks } from '../../../src/worker/middleware/log-tasks.js';
import { type Middleware, performWithin } from '../../../src/worker/middleware/middleware.js';
import { observeTasks } from '../../../src/worker/middleware/observe-tasks.js';
import { DeadlinePassedError } from '../../../src/worker/worker-errors.js';
import { ownedTask } from './owned-task.js';

const task = ownedTask('t');
const done: ActorResult = { statusCode: 'completed', result: 1 };

function context(): ActionContext {
  const { signal } = new AbortController();
  return {
    signal,
    logger: noopLogger,
    prepared: undefined,
    values: new Map(),
    heartbeat: async () => {},
    progress: () => {},
  };
}

function perform(middleware: Middleware[], handle = async (): Promise<ActorResult> => done) {
  return performWithin(middleware, handle, task, context());
}

describe('middleware', () => {
  it('stands around the handler in the order of use', async () => {
    const seen: string[] = [];
    const named =
      (name: string): Middleware =>
      async (_, __, next) => {
        seen.push(`${name} before`);
        const result = await next();
        seen.push(`${name} after`);
        return result;
      };
    const handle = async () => {
      seen.push('handler');
      return done;
    };
    expect(await perform([named('a'), named('b')], handle)).toBe(done);
    expect(seen).toEqual(['a before', 'b before', 'handler', 'b after', 'a after']);
  });

  it('may leave out the handler, and what it returns stands', async () => {
    const handle = vi.fn();
    const cached: ActorResult = { statusCode: 'completed', result: 'cached' };
    expect(await perform([async () => cached], handle)).toBe(cached);
    expect(await perform([async () => {}], handle)).toEqual({ statusCode: 'completed' });
    expect(handle).not.toHaveBeenCalled();
  });

  it('that returns nothing passes on what the handler made of it', async () => {
    const forgetful: Middleware = async (_, __, next) => {
      await next();
    };
    expect(await perform([forgetful])).toBe(done);
  });

  it('may change what is returned, and what is thrown', async () => {
    const fail = async () => Promise.reject(new Error('inner'));
    const translate: Middleware = (_, __, next) =>
      next().catch((cause) => {
        throw new Error('outer', { cause });
      });
    await expect(perform([translate], fail)).rejects.toThrow('outer');
    const swallow: Middleware = (_, __, next) => next().catch(() => done);
    expect(await perform([swallow], fail)).toBe(done);
  });

  it('may leave values for those further in', async () => {
    const leave: Middleware = async (_, { values }, next) => {
      values.set('user', 'ann');
      return next();
    };
    const handle = vi.fn(async (_: unknown, { values }: ActionContext): Promise<ActorResult> => {
      return { statusCode: 'completed', result: String(values.get('user')) };
    });
    expect(await performWithin([leave], handle, task, context())).toMatchObject({ result: 'ann' });
  });

  it('may not perform the task twice', async () => {
    const greedy: Middleware = async (_, __, next) => {
      await next();
      return next();
    };
    await expect(perform([greedy])).rejects.toThrow(/next\(\) twice/);
  });
});

describe('deadline', () => {
  const by = new Date('2026-01-01T00:00:00Z');

  it('has a task that begins too late fail for good, unperformed', async () => {
    const handle = vi.fn();
    const late = deadline({ by: () => by, now: () => by.getTime() + 1 });
    await expect(perform([late], handle)).rejects.toThrow(DeadlinePassedError);
    expect(handle).not.toHaveBeenCalled();
  });

  it('lets one begin in time, and one without a deadline', async () => {
    expect(await perform([deadline({ by: () => by, now: () => by.getTime() })])).toBe(done);
    expect(await perform([deadline({ by: () => null })])).toBe(done);
  });
});

describe('logTasks', () => {
  it('logs beginning and end, to a logger of its own or the manager’s', async () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    await perform([logTasks(logger)]);
    const fields = { id: 't', action: 'work', numTries: 1 };
    expect(logger.debug).toHaveBeenCalledWith(fields, 'task begins');
    expect(logger.info).toHaveBeenCalledWith(
      { ...fields, statusCode: 'completed', durationMs: expect.any(Number) },
      'task ends',
    );
    await perform([logTasks()]);
  });

  it('logs what was thrown, and throws it on', async () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const err = new Error('no');
    await expect(perform([logTasks(logger)], () => Promise.reject(err))).rejects.toBe(err);
    expect(logger.warn).toHaveBeenCalledWith(expect.objectContaining({ err }), 'task failed');
    expect(logger.info).not.toHaveBeenCalled();
  });
});

describe('logTasks of a snooze', () => {
  it('is no failure', async () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const snooze = new SnoozeError(new Date(0));
    await expect(perform([logTasks(logger)], () => Promise.reject(snooze))).rejects.toBe(snooze);
    expect(logger.info).toHaveBeenCalledWith(
      expect.objectContaining({ startAfter: new Date(0) }),
      'task snoozed',
    );
    expect(logger.warn).not.toHaveBeenCalled();
  });
});

describe('observeTasks', () => {
  it('tells of the result, or of what was thrown, with the duration', async () => {
    const observer = vi.fn();
    await perform([observeTasks(observer)]);
    expect(observer).toHaveBeenCalledWith({ task, result: done, durationMs: expect.any(Number) });
    const error = new Error('no');
    await expect(perform([observeTasks(observer)], () => Promise.reject(error))).rejects.toBe(
      error,
    );
    expect(observer).toHaveBeenLastCalledWith({ task, error, durationMs: expect.any(Number) });
  });
});
