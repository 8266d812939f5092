import type { ScheduleLogic } from '../store/schedule-store.js';
import { decide } from './catch-up.js';
import { checkSchedule } from './check-schedule.js';
import { nextAfter } from './schedule-rule.js';

/** What the store of schedules asks, which itself knows no calendar. */
export const scheduleLogic: ScheduleLogic = Object.freeze({
  check: checkSchedule,
  nextAfter,
  decide,
});
