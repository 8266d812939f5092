import { Cron } from 'croner';
import type { ScheduleRule } from '../store/schedule-store.js';

const SECOND_MS = 1_000;
/** Beyond that a Date holds nothing. */
const LAST_DATE_MS = 8.64e15;

/**
 * The first due time after `time`; null: there is none. Pure: the zone's rules are those of this Node's ICU.
 *
 * Where clocks change, croner does as Vixie cron does. A cron that names its hours, minutes and seconds fires once
 * for each it names: at the first moment after the gap where the clock leaps over it, and the first time where it
 * comes twice. One with a `*` or a step among them follows the clock: nothing in the gap, both of what comes twice.
 */
export function nextAfter(rule: ScheduleRule, time: Date): Date | null {
  const fromMs = rule.from?.getTime();
  const afterMs = Math.max(time.getTime(), fromMs === undefined ? -LAST_DATE_MS : fromMs - 1);
  if ('cron' in rule) return toCron(rule).nextRun(new Date(afterMs));
  const anchorMs = fromMs ?? 0;
  const count = Math.floor((afterMs - anchorMs) / rule.everyMs) + 1;
  return toDate(anchorMs + count * rule.everyMs);
}

/** The latest due times from `from` to `to`, both included, at most `max`, in their order. */
export function dueBetween(rule: ScheduleRule, from: Date, to: Date, max: number): Date[] {
  const firstMs = Math.max(from.getTime(), rule.from?.getTime() ?? -LAST_DATE_MS);
  const found: Date[] = [];
  for (const due of backwards(rule, to)) {
    if (due.getTime() < firstMs || found.length === max) break;
    found.push(due);
  }
  return found.reverse();
}

/** Throws what croner says of a text that is no cron, or of a zone that it does not know. */
export function toCron({ cron, timeZone }: { cron: string; timeZone: string }): Cron {
  return new Cron(cron, {
    timezone: timeZone,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
  });
}

/** Due times from `to` on back, `to` included, without regard to the rule's `from`. */
function* backwards(rule: ScheduleRule, to: Date): Generator<Date, void> {
  if ('cron' in rule) {
    const cron = toCron(rule);
    // A cron is due at whole seconds, and previousRuns gives what is before its reference.
    let beforeMs = Math.floor(to.getTime() / SECOND_MS) * SECOND_MS + SECOND_MS;
    for (;;) {
      const [due] = cron.previousRuns(1, new Date(beforeMs));
      if (!due) return;
      yield due;
      beforeMs = due.getTime();
    }
  }
  const anchorMs = rule.from?.getTime() ?? 0;
  const count = Math.floor((to.getTime() - anchorMs) / rule.everyMs);
  for (let ms = anchorMs + count * rule.everyMs; ms >= -LAST_DATE_MS; ms -= rule.everyMs) {
    yield new Date(ms);
  }
}

function toDate(ms: number): Date | null {
  return ms <= LAST_DATE_MS ? new Date(ms) : null;
}
