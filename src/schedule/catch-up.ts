import type { FireDecision, ScheduleSettings } from '../store/schedule-store.js';
import { dueBetween, nextAfter } from './schedule-rule.js';

/** No more are looked at, and counted as skipped, of one downtime: a cron of every second would take minutes. */
export const maxDueTimes = 1_000;

type DueSchedule = ScheduleSettings & { readonly nextDue: Date };

/**
 * What becomes of a schedule whose `nextDue` is not after `now`. Pure.
 *
 * | not overlapping, its last task unfinished | due times                                     |
 * | ----------------------------------------- | --------------------------------------------- |
 * | `none`, `last`                            | passed over, every one                        |
 * | `all`                                     | kept: it is held, and asked again             |
 *
 * | otherwise                                 |                                               |
 * | ----------------------------------------- | --------------------------------------------- |
 * | `none`                                    | the latest fires if not older than graceMs    |
 * | `last`                                    | the latest fires                              |
 * | `all`, overlapping                        | the latest `max` fire, all now                |
 * | `all`                                     | the oldest of the latest `max` fires, the     |
 * |                                           | next becomes `nextDue` although it is past    |
 */
export function decide(schedule: DueSchedule, now: Date, isUnfinished: boolean): FireDecision {
  const { rule, catchUp, mayOverlap } = schedule;
  const isBusy = isUnfinished && !mayOverlap;
  if (isBusy && catchUp.policy === 'all') return { isHeld: true };
  const due = dueTimes(schedule, now);
  const wanted = isBusy ? [] : wantedOf(schedule, due, now);
  const isInTurn = catchUp.policy === 'all' && !mayOverlap;
  const fire = isInTurn ? wanted.slice(0, 1) : wanted;
  const pending = isInTurn ? wanted[1] : undefined;
  return {
    isHeld: false,
    fire,
    nextDue: pending ?? nextAfter(rule, now),
    numSkipped: due.length - wanted.length,
  };
}

/** `nextDue` stands although the rule may give other times by now: time-zone rules change. */
function dueTimes({ rule, nextDue }: DueSchedule, now: Date): Date[] {
  const due = dueBetween(rule, nextDue, now, maxDueTimes);
  return due.length > 0 ? due : [nextDue];
}

function wantedOf({ catchUp }: DueSchedule, due: readonly Date[], now: Date): Date[] {
  switch (catchUp.policy) {
    case 'none':
      return due.slice(-1).filter((time) => now.getTime() - time.getTime() <= catchUp.graceMs);
    case 'last':
      return due.slice(-1);
    case 'all':
      return due.slice(-catchUp.max);
  }
}
