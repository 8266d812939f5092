import { describe, expect, it } from 'vitest';
import { checkSchedule } from '../../../src/schedule/check-schedule.js';
import { InvalidScheduleError } from '../../../src/store/schedule-errors.js';

/** As a program without types may call it. */
function check(input: unknown): unknown {
  return Reflect.apply(checkSchedule, undefined, [input]);
}

function errorOf(input: unknown): unknown {
  try {
    check(input);
  } catch (error) {
    return error;
  }
  throw new Error(`it was accepted: ${JSON.stringify(input)}`);
}

const TASK = { action: 'work' };

describe('checkSchedule', () => {
  it('fills in UTC, the policy last, and that it does not overlap', () => {
    expect(check({ name: 'a', cron: '@daily', task: TASK })).toEqual({
      name: 'a',
      rule: { cron: '@daily', timeZone: 'UTC' },
      task: TASK,
      catchUp: { policy: 'last' },
      mayOverlap: false,
    });
  });

  it('fills in what a policy leaves out', () => {
    const put = { name: 'a', everyMs: 1_000, task: TASK };
    expect(check({ ...put, catchUp: 'all' })).toMatchObject({
      catchUp: { policy: 'all', max: 100 },
    });
    expect(check({ ...put, catchUp: { policy: 'none' } })).toMatchObject({
      catchUp: { policy: 'none', graceMs: 60_000 },
    });
  });

  it.each([
    '60 * * * *',
    '* 24 * * *',
    '* * 32 * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * 0 *',
    '* * * * 8',
    '60 * * * * *',
    '20-10 * * * *',
    '*/0 * * * *',
    '* * * *',
    '* * * * * * *',
    'every day',
    '',
    '@reboot',
    '2026-01-01T00:00:00',
  ])('refuses the cron %j', (cron) => {
    const error = errorOf({ name: 'a', cron, task: TASK });
    expect(error).toBeInstanceOf(InvalidScheduleError);
    expect(error).toMatchObject({ code: 'INVALID_SCHEDULE', schedule: 'a', field: 'cron' });
  });

  it.each(['0 0 31 2 *', '0 0 30 2 *', '0 0 31 4,6,9,11 *'])(
    'refuses the cron %j, since it never fires, and says so',
    (cron) => {
      const error = errorOf({ name: 'a', cron, task: TASK });
      expect(error).toMatchObject({ field: 'cron' });
      expect(String(error)).toContain('never fires');
    },
  );

  it.each([
    ['name', { name: '' }],
    ['name', { name: 7 }],
    ['name', { name: 'x'.repeat(1_025) }],
    ['cron', {}],
    ['cron', { cron: '@daily', everyMs: 5_000 }],
    ['cron', { cron: 5 }],
    ['timeZone', { cron: '@daily', timeZone: 'Mars/Olympus' }],
    ['timeZone', { everyMs: 5_000, timeZone: 'UTC' }],
    ['everyMs', { everyMs: 999 }],
    ['everyMs', { everyMs: 1_500.5 }],
    ['everyMs', { everyMs: '5s' }],
    ['from', { everyMs: 5_000, from: '2026-01-01' }],
    ['from', { everyMs: 5_000, from: new Date(Number.NaN) }],
    ['task', { everyMs: 5_000, task: undefined }],
    ['task.id', { everyMs: 5_000, task: { id: 'x', action: 'work' } }],
    ['task.startAfter', { everyMs: 5_000, task: { action: 'work', startAfter: new Date() } }],
    ['catchUp', { everyMs: 5_000, catchUp: 'some' }],
    ['catchUp.max', { everyMs: 5_000, catchUp: { policy: 'all', max: 1_001 } }],
    ['catchUp.graceMs', { everyMs: 5_000, catchUp: { policy: 'none', graceMs: -1 } }],
    ['mayOverlap', { everyMs: 5_000, mayOverlap: 'no' }],
    ['every', { every: 5_000 }],
  ])('refuses a schedule for its %s: %j', (field, put) => {
    const error = errorOf({ name: 'a', task: TASK, ...put });
    expect(error).toBeInstanceOf(InvalidScheduleError);
    expect(error).toMatchObject({ field });
  });

  it('refuses what is wrong with the task as an insert would', () => {
    const put = { name: 'a', everyMs: 5_000 };
    expect(errorOf({ ...put, task: { action: 'work', priority: 1e9 } })).toMatchObject({
      code: 'INVALID_TASK',
      field: 'priority',
    });
    expect(errorOf({ ...put, task: { action: 'work', body: 'a\0b' } })).toMatchObject({
      code: 'INVALID_BODY',
    });
  });
});
