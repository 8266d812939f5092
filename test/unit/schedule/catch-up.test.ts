import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, maxDueTimes } from '../../../src/schedule/catch-up.js';
import type { CatchUp, FireDecision } from '../../../src/store/schedule-store.js';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

/** So many minutes after the start. */
function at(minutes: number): Date {
  return new Date(START_MS + minutes * MINUTE_MS);
}

/** A schedule of every minute, whose next due time is the start. */
function everyMinute(catchUp: CatchUp, mayOverlap = false) {
  const task = { action: 'work' };
  return { name: 's', rule: { everyMs: MINUTE_MS }, task, catchUp, mayOverlap, nextDue: at(0) };
}

function minutes(times: readonly Date[]): number[] {
  return times.map((time) => (time.getTime() - START_MS) / MINUTE_MS);
}

/** What is decided, in minutes. */
function decided(decision: FireDecision) {
  if (decision.isHeld) return 'held';
  const { fire, nextDue, numSkipped } = decision;
  return { fire: minutes(fire), next: nextDue && minutes([nextDue])[0], skipped: numSkipped };
}

const NONE: CatchUp = { policy: 'none', graceMs: MINUTE_MS / 2 };
const LAST: CatchUp = { policy: 'last' };
const ALL: CatchUp = { policy: 'all', max: 3 };

describe('after a downtime', () => {
  it('none fires a due time that is not older than the grace, and no other', () => {
    expect(decided(decide(everyMinute(NONE), at(5.5), false))).toEqual({
      fire: [5],
      next: 6,
      skipped: 5,
    });
    expect(decided(decide(everyMinute(NONE), at(5.6), false))).toEqual({
      fire: [],
      next: 6,
      skipped: 6,
    });
  });

  it('last fires the latest, however old', () => {
    expect(decided(decide(everyMinute(LAST), at(5.9), false))).toEqual({
      fire: [5],
      next: 6,
      skipped: 5,
    });
  });

  it('all fires the latest max at once when they may overlap', () => {
    expect(decided(decide(everyMinute(ALL, true), at(5.5), false))).toEqual({
      fire: [3, 4, 5],
      next: 6,
      skipped: 3,
    });
  });

  it('all fires the latest max in turn when they may not: the next stays due', () => {
    expect(decided(decide(everyMinute(ALL), at(5.5), false))).toEqual({
      fire: [3],
      next: 4,
      skipped: 3,
    });
    const rest = { ...everyMinute(ALL), nextDue: at(4) };
    expect(decided(decide(rest, at(5.5), false))).toEqual({ fire: [4], next: 5, skipped: 0 });
  });

  it('the decision takes no longer than a thousand due times, which is what is counted', () => {
    const decision = decide(
      { ...everyMinute(LAST), rule: { cron: '* * * * * *', timeZone: 'UTC' } },
      at(9_999),
      false,
    );
    expect(decided(decision)).toMatchObject({ fire: [9_999], skipped: maxDueTimes - 1 });
  });
});

describe('while its last task has not ended', () => {
  it('none and last pass due times over', () => {
    for (const policy of [NONE, LAST]) {
      expect(decided(decide(everyMinute(policy), at(0), true))).toEqual({
        fire: [],
        next: 1,
        skipped: 1,
      });
    }
  });

  it('all is held', () => {
    expect(decided(decide(everyMinute(ALL), at(5), true))).toBe('held');
  });

  it('a schedule that may overlap fires', () => {
    expect(decided(decide(everyMinute(LAST, true), at(0), true))).toEqual({
      fire: [0],
      next: 1,
      skipped: 0,
    });
  });
});

it('a next due time that the rule does not give any more still fires: time-zone rules change', () => {
  const odd = { ...everyMinute(LAST), nextDue: at(0.5) };
  expect(decided(decide(odd, at(0.75), false))).toEqual({ fire: [0.5], next: 1, skipped: 0 });
});

describe('over any downtimes', () => {
  const GAPS = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 20 });
  const POLICIES = fc.oneof(
    fc.record({
      policy: fc.constant('none' as const),
      graceMs: fc.integer({ min: 0, max: 120_000 }),
    }),
    fc.constant(LAST),
    fc.record({ policy: fc.constant('all' as const), max: fc.integer({ min: 1, max: 5 }) }),
  );

  it('every due time fires once or is skipped once, and as many fire as the policy says', () => {
    fc.assert(
      fc.property(POLICIES, fc.boolean(), GAPS, (catchUp, mayOverlap, gaps) => {
        let schedule = everyMinute(catchUp, mayOverlap);
        let now = at(0).getTime();
        let skipped = 0;
        let expected = 0;
        const fired: number[] = [];
        for (const gap of gaps) {
          now += gap * 1_000;
          const last = Math.floor((now - START_MS) / MINUTE_MS);
          const numDue = last - (minutes([schedule.nextDue])[0] ?? 0) + 1;
          expected += expectedOf(catchUp, numDue, now - at(last).getTime());
          // Tasks end at once: of several in turn, each has ended when the next is asked for.
          while (schedule.nextDue.getTime() <= now) {
            const decision = decide(schedule, new Date(now), false);
            if (decision.isHeld || !decision.nextDue) throw new Error('it goes on');
            fired.push(...minutes(decision.fire));
            skipped += decision.numSkipped;
            schedule = { ...schedule, nextDue: decision.nextDue };
          }
        }
        expect(fired).toHaveLength(expected);
        expect(fired).toEqual([...new Set(fired)].sort((a, b) => a - b));
        expect(fired.length + skipped).toBe(Math.floor((now - START_MS) / MINUTE_MS) + 1);
      }),
    );
  });

  function expectedOf(catchUp: CatchUp, numDue: number, ageMs: number): number {
    if (numDue === 0) return 0;
    if (catchUp.policy === 'all') return Math.min(numDue, catchUp.max);
    return catchUp.policy === 'last' || ageMs <= catchUp.graceMs ? 1 : 0;
  }
});
