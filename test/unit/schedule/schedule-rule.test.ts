import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueBetween, nextAfter } from '../../../src/schedule/schedule-rule.js';
import type { ScheduleRule } from '../../../src/store/schedule-store.js';

const DAY_MS = 86_400_000;

function cron(text: string, timeZone = 'UTC'): ScheduleRule {
  return { cron: text, timeZone };
}

/** The first `count` due times after a moment, as ISO texts without milliseconds. */
function times(rule: ScheduleRule, after: string, count: number): string[] {
  const found: string[] = [];
  let time: Date | null = new Date(after);
  while (found.length < count) {
    time = nextAfter(rule, time);
    if (!time) break;
    found.push(time.toISOString().replace('.000Z', 'Z'));
  }
  return found;
}

function days(rule: ScheduleRule, after: string, count: number): string[] {
  return times(rule, after, count).map((time) => time.slice(0, 10));
}

describe('a cron', () => {
  it('weekly fires on its weekday', () => {
    expect(times(cron('15 9 * * 1'), '2026-01-01T00:00Z', 3)).toEqual([
      '2026-01-05T09:15:00Z',
      '2026-01-12T09:15:00Z',
      '2026-01-19T09:15:00Z',
    ]);
    expect(days(cron('15 9 * * MON'), '2026-01-01T00:00Z', 1)).toEqual(['2026-01-05']);
    expect(days(cron('@weekly'), '2026-01-01T00:00Z', 2)).toEqual(['2026-01-04', '2026-01-11']);
  });

  it('daily fires at its time of day, strictly after the time asked for', () => {
    expect(times(cron('30 4 * * *'), '2026-01-31T04:30Z', 2)).toEqual([
      '2026-02-01T04:30:00Z',
      '2026-02-02T04:30:00Z',
    ]);
    expect(times(cron('30 4 * * *'), '2026-01-31T04:29:59.999Z', 1)).toEqual([
      '2026-01-31T04:30:00Z',
    ]);
  });

  it('hourly fires at its minute of each hour', () => {
    expect(times(cron('5 * * * *'), '2026-12-31T22:30Z', 3)).toEqual([
      '2026-12-31T23:05:00Z',
      '2027-01-01T00:05:00Z',
      '2027-01-01T01:05:00Z',
    ]);
  });

  it('on day 31 leaves out months that have none', () => {
    expect(days(cron('0 0 31 * *'), '2026-01-01T00:00Z', 7)).toEqual([
      '2026-01-31',
      '2026-03-31',
      '2026-05-31',
      '2026-07-31',
      '2026-08-31',
      '2026-10-31',
      '2026-12-31',
    ]);
  });

  it('on 29 February fires in leap years, 2100 being none', () => {
    expect(days(cron('0 0 29 2 *'), '2026-01-01T00:00Z', 2)).toEqual(['2028-02-29', '2032-02-29']);
    expect(days(cron('0 0 29 2 *'), '2096-03-01T00:00Z', 1)).toEqual(['2104-02-29']);
  });

  it('of six fields counts seconds', () => {
    expect(times(cron('*/20 59 23 * * *'), '2026-01-01T00:00Z', 4)).toEqual([
      '2026-01-01T23:59:00Z',
      '2026-01-01T23:59:20Z',
      '2026-01-01T23:59:40Z',
      '2026-01-02T23:59:00Z',
    ]);
  });

  it('with a day of the month and a weekday fires on either, as Vixie cron does', () => {
    expect(days(cron('0 0 13 * 5'), '2026-02-01T00:00Z', 4)).toEqual([
      '2026-02-06',
      '2026-02-13',
      '2026-02-20',
      '2026-02-27',
    ]);
    expect(days(cron('0 0 13 * 5'), '2026-04-10T00:00Z', 2)).toEqual(['2026-04-13', '2026-04-17']);
  });

  it('is not due before its from, and may be due at it', () => {
    const rule = { cron: '0 0 * * *', timeZone: 'UTC', from: new Date('2026-05-01T00:00Z') };
    expect(times(rule, '2026-01-01T00:00Z', 2)).toEqual([
      '2026-05-01T00:00:00Z',
      '2026-05-02T00:00:00Z',
    ]);
    expect(
      dueBetween(rule, new Date('2026-04-01T00:00Z'), new Date('2026-05-02T00:00Z'), 100),
    ).toEqual([new Date('2026-05-01T00:00Z'), new Date('2026-05-02T00:00Z')]);
  });
});

describe('where clocks change', () => {
  const berlin = (text: string) => cron(text, 'Europe/Berlin');

  it('02:30, which 2027-03-28 does not have in Berlin, fires that day when the clock shows 03:00', () => {
    expect(times(berlin('30 2 * * *'), '2027-03-27T12:00Z', 2)).toEqual([
      '2027-03-28T01:00:00Z',
      '2027-03-29T00:30:00Z',
    ]);
  });

  it('02:30, which 2026-10-25 has twice in Berlin, fires the first time only', () => {
    expect(times(berlin('30 2 * * *'), '2026-10-24T12:00Z', 2)).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
    ]);
  });

  it('so do times in a list', () => {
    expect(times(berlin('30 2,14 * * *'), '2027-03-28T00:00Z', 2)).toEqual([
      '2027-03-28T01:00:00Z',
      '2027-03-28T12:30:00Z',
    ]);
    expect(times(berlin('30 2,14 * * *'), '2026-10-25T00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-25T13:30:00Z',
    ]);
  });

  it('a cron with a * follows the clock: nothing in the gap, both of what comes twice', () => {
    expect(times(berlin('*/30 * * * *'), '2027-03-28T00:20Z', 3)).toEqual([
      '2027-03-28T00:30:00Z',
      '2027-03-28T01:00:00Z',
      '2027-03-28T01:30:00Z',
    ]);
    expect(times(berlin('0 * * * *'), '2026-10-24T23:30Z', 3)).toEqual([
      '2026-10-25T00:00:00Z',
      '2026-10-25T01:00:00Z',
      '2026-10-25T02:00:00Z',
    ]);
    expect(times(berlin('*/20 2 * * *'), '2027-03-28T00:00Z', 1)).toEqual(['2027-03-29T00:00:00Z']);
  });

  it('an interval takes no notice', () => {
    const hourly = { everyMs: 3_600_000 };
    expect(times(hourly, '2027-03-28T00:30Z', 2)).toEqual([
      '2027-03-28T01:00:00Z',
      '2027-03-28T02:00:00Z',
    ]);
  });
});

describe('an interval', () => {
  it('is counted from 1970, so that all processes count alike', () => {
    expect(times({ everyMs: 90_000 }, '2026-01-01T00:00:01Z', 2)).toEqual([
      '2026-01-01T00:01:30Z',
      '2026-01-01T00:03:00Z',
    ]);
  });

  it('is counted from its from, at which it is due', () => {
    const rule = { everyMs: 7_000, from: new Date('2026-01-01T00:00:03Z') };
    expect(times(rule, '2025-01-01T00:00Z', 2)).toEqual([
      '2026-01-01T00:00:03Z',
      '2026-01-01T00:00:10Z',
    ]);
    expect(times(rule, '2026-01-01T00:00:03Z', 1)).toEqual(['2026-01-01T00:00:10Z']);
  });
});

const RULES = fc.oneof(
  fc.record({
    cron: fc.constantFrom(
      '30 2 * * *',
      '*/30 * * * *',
      '30 2,14 * * *',
      '0 0 L * *',
      '15 1-3 * * *',
      '*/45 30 1 * * *',
      '0 0 31 * *',
    ),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
  }),
  fc.record({ everyMs: fc.integer({ min: 600_000, max: 40 * DAY_MS }) }),
);
const TIMES = fc.date({
  min: new Date('2026-01-01T00:00Z'),
  max: new Date('2027-12-31T00:00Z'),
  noInvalidDate: true,
});

describe('dueBetween', () => {
  it('gives what nextAfter gives step by step, both ends included, the latest if there are more', () => {
    fc.assert(
      fc.property(RULES, TIMES, fc.integer({ max: 5 * DAY_MS, min: 0 }), (rule, from, lengthMs) => {
        const to = new Date(from.getTime() + lengthMs);
        const expected: Date[] = [];
        let due = nextAfter(rule, new Date(from.getTime() - 1));
        while (due && due <= to) {
          expected.push(due);
          due = nextAfter(rule, due);
        }
        expect(dueBetween(rule, from, to, 10_000)).toEqual(expected);
        expect(dueBetween(rule, from, to, 3)).toEqual(expected.slice(-3));
      }),
    );
  });
});
