import { types } from 'node:util';
import { HUNDRED_YEARS_MS } from '../column-limits.js';
import { bodyText } from '../store/body-text.js';
import { InvalidScheduleError } from '../store/schedule-errors.js';
import type {
  CatchUp,
  ScheduleInput,
  ScheduleRule,
  ScheduleSettings,
  ScheduleTask,
} from '../store/schedule-store.js';
import { validateTask } from '../store/validate-task.js';
import { maxDueTimes } from './catch-up.js';
import { nextAfter, toCron } from './schedule-rule.js';

const MAX_NAME_BYTES = 1_024;
const MIN_INTERVAL_MS = 1_000;
const DEFAULT_TIME_ZONE = 'UTC';
const DEFAULTS = Object.freeze({ graceMs: 60_000, max: 100 });
const EPOCH = new Date(0);

const FIELDS: ReadonlySet<string> = new Set([
  'name',
  'cron',
  'everyMs',
  'timeZone',
  'from',
  'task',
  'catchUp',
  'mayOverlap',
] satisfies (keyof ScheduleInput)[]);

/** Throws InvalidScheduleError for a fault of the schedule, InvalidTaskError or InvalidBodyError for one of its task. */
export function checkSchedule(input: ScheduleInput): ScheduleSettings {
  if (typeof input !== 'object' || input === null) {
    throw new InvalidScheduleError('', 'schedule', `must be an object, not ${String(input)}`);
  }
  const { name, mayOverlap = false } = input;
  checkName(name);
  for (const field of Object.keys(input)) {
    if (FIELDS.has(field)) continue;
    const problem = `is not a field; the fields are ${[...FIELDS].join(', ')}`;
    throw new InvalidScheduleError(name, field, problem);
  }
  if (typeof mayOverlap !== 'boolean') {
    throw new InvalidScheduleError(name, 'mayOverlap', 'must be true or false');
  }
  return {
    name,
    rule: checkRule(input),
    task: checkTask(name, input.task),
    catchUp: checkCatchUp(name, input.catchUp ?? 'last'),
    mayOverlap,
  };
}

function checkName(name: unknown): void {
  const bytes = typeof name === 'string' ? Buffer.byteLength(name) : 0;
  if (typeof name === 'string' && bytes > 0 && bytes <= MAX_NAME_BYTES && !name.includes('\0')) {
    return;
  }
  const problem = `must be a text of 1 to ${MAX_NAME_BYTES} bytes in UTF-8 without \\u0000`;
  throw new InvalidScheduleError(String(name), 'name', problem);
}

function checkRule({ name, cron, everyMs, timeZone, from }: ScheduleInput): ScheduleRule {
  if ((cron === undefined) === (everyMs === undefined)) {
    throw new InvalidScheduleError(name, 'cron', 'or everyMs must be given, and only one of them');
  }
  if (from !== undefined && !(types.isDate(from) && Number.isFinite(from.getTime()))) {
    throw new InvalidScheduleError(name, 'from', 'must be a valid Date');
  }
  const start = from === undefined ? {} : { from };
  if (cron !== undefined) {
    const rule = { cron, timeZone: timeZone ?? DEFAULT_TIME_ZONE, ...start };
    checkCron(name, rule);
    return rule;
  }
  if (timeZone !== undefined) {
    throw new InvalidScheduleError(name, 'timeZone', 'is for cron; an interval has no use for it');
  }
  if (!(Number.isInteger(everyMs) && everyMs >= MIN_INTERVAL_MS && everyMs <= HUNDRED_YEARS_MS)) {
    const problem = `is ${String(everyMs)}; give whole milliseconds, at least ${MIN_INTERVAL_MS}`;
    throw new InvalidScheduleError(name, 'everyMs', problem);
  }
  return { everyMs, ...start };
}

function checkCron(name: string, rule: ScheduleRule & { cron: string; timeZone: string }): void {
  const { cron, timeZone } = rule;
  if (!isTimeZone(timeZone)) {
    const problem = `is ${JSON.stringify(timeZone)}, which is no time zone; give one such as Europe/Berlin`;
    throw new InvalidScheduleError(name, 'timeZone', problem);
  }
  if (!isPattern(name, rule)) {
    const problem = `is ${JSON.stringify(cron)}, which is no cron; give five fields, or six with seconds in front`;
    throw new InvalidScheduleError(name, 'cron', problem);
  }
  if (nextAfter(rule, rule.from ?? EPOCH) === null) {
    const problem = `is ${JSON.stringify(cron)}, which never fires: there is no such day`;
    throw new InvalidScheduleError(name, 'cron', problem);
  }
}

/** croner also takes a date, which is no pattern. Throws, with what croner says, for what it does not take. */
function isPattern(name: string, rule: { cron: string; timeZone: string }): boolean {
  if (typeof rule.cron !== 'string') return false;
  try {
    return toCron(rule).getPattern() !== undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const problem = `is ${JSON.stringify(rule.cron)}, which is no cron: ${reason}`;
    throw new InvalidScheduleError(name, 'cron', problem, { cause });
  }
}

function isTimeZone(timeZone: unknown): boolean {
  if (typeof timeZone !== 'string' || timeZone === '') return false;
  try {
    return Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function checkTask(name: string, task: ScheduleTask): ScheduleTask {
  if (typeof task !== 'object' || task === null) {
    throw new InvalidScheduleError(name, 'task', 'must be an object with an action');
  }
  for (const field of ['id', 'startAfter']) {
    if (!(field in task)) continue;
    const problem = 'must be left out: the due time makes it';
    throw new InvalidScheduleError(name, `task.${field}`, problem);
  }
  const id = `${name}/${EPOCH.toISOString()}`;
  validateTask({ ...task, id }, 0);
  bodyText(id, task.body);
  return task;
}

function checkCatchUp(name: string, given: NonNullable<ScheduleInput['catchUp']>): CatchUp {
  const options = typeof given === 'string' ? { policy: given } : { ...given };
  const { graceMs, max } = { ...DEFAULTS, ...options };
  switch (options.policy) {
    case 'last':
      return { policy: 'last' };
    case 'none':
      if (graceMs >= 0 && graceMs <= HUNDRED_YEARS_MS) return { policy: 'none', graceMs };
      throw new InvalidScheduleError(name, 'catchUp.graceMs', 'must be milliseconds, 0 or more');
    case 'all':
      if (Number.isInteger(max) && max >= 1 && max <= maxDueTimes) return { policy: 'all', max };
      throw new InvalidScheduleError(name, 'catchUp.max', `must be from 1 to ${maxDueTimes}`);
    default:
      throw new InvalidScheduleError(name, 'catchUp', "must be 'none', 'last' or 'all'");
  }
}
