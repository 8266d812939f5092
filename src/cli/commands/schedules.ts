import { Command } from 'commander';
import { ScheduleNotFoundError } from '../../store/schedule-errors.js';
import type { Schedule, ScheduleRule, ScheduleStore } from '../../store/schedule-store.js';
import { openContext } from '../context.js';
import { formatDuration } from '../duration.js';
import { EXIT } from '../exit-codes.js';
import type { Output } from '../output.js';
import { runSession } from '../session.js';
import { alignRows } from '../table.js';

const TIMES_SHOWN = 5;

/** `signalbox schedules ...`. */
export function schedulesCommand(): Command {
  return new Command('schedules')
    .description('list and steer the schedules; programs put them: docs/schedules.md')
    .addCommand(onAll('list', 'list them, with their next due times', list))
    .addCommand(onOne('show', 'show everything that is known of one', show))
    .addCommand(onOne('pause', 'let it fire no more until it is resumed', pause))
    .addCommand(onOne('resume', 'go on from now; what was missed is not made up for', resume))
    .addCommand(onOne('run', 'insert its task at once, and print the id', run))
    .addCommand(onOne('remove', 'forget it; its tasks stay', remove));
}

function onAll(
  name: string,
  description: string,
  work: (schedules: ScheduleStore, output: Output) => Promise<void>,
): Command {
  return new Command(name)
    .description(description)
    .action((_options: object, command: Command) => onSchedules(command, work));
}

function onOne(
  name: string,
  description: string,
  work: (schedules: ScheduleStore, output: Output, schedule: string) => Promise<void>,
): Command {
  return new Command(name)
    .description(description)
    .argument('<name>', 'the name of the schedule')
    .action((schedule: string, _options: object, command: Command) =>
      onSchedules(command, (schedules, output) => work(schedules, output, schedule)),
    );
}

function onSchedules(
  command: Command,
  work: (schedules: ScheduleStore, output: Output) => Promise<void>,
): Promise<void> {
  return runSession(command, async ({ globals, output }) => {
    await using context = await openContext(globals, { output });
    await work(context.store.schedules, output);
    return EXIT.ok;
  });
}

const HEADER = ['NAME', 'WHEN', 'NEXT', 'LAST', 'FIRED', 'SKIPPED', 'REMARK'];

async function list(schedules: ScheduleStore, output: Output): Promise<void> {
  const all = await schedules.list();
  if (output.isJson) {
    for (const schedule of all) await output.printJson(withTimes(schedule));
  } else {
    for await (const line of alignRows(HEADER, toRows(all))) await output.print(line);
  }
}

async function* toRows(schedules: readonly Schedule[]): AsyncGenerator<string[], void> {
  for (const schedule of schedules) {
    const { name, rule, isPaused, nextDue, lastDue, numFired, numSkipped, lastError } = schedule;
    yield [
      name,
      formatRule(rule),
      isPaused ? 'paused' : (nextDue?.toISOString() ?? 'never'),
      lastDue?.toISOString() ?? '-',
      String(numFired),
      String(numSkipped),
      (lastError ?? '').replace(/\s+/g, ' '),
    ];
  }
}

function formatRule(rule: ScheduleRule): string {
  return 'cron' in rule
    ? `${rule.cron} (${rule.timeZone})`
    : `every ${formatDuration(rule.everyMs)}`;
}

async function show(schedules: ScheduleStore, output: Output, name: string): Promise<void> {
  const schedule = await schedules.get(name);
  if (!schedule) throw new ScheduleNotFoundError(name);
  const shown = withTimes(schedule);
  if (output.isJson) return output.printJson(shown);
  const fields = Object.entries(shown).filter(([, value]) => value !== null);
  const width = Math.max(...fields.map(([field]) => field.length));
  for (const [field, value] of fields) {
    const text = value instanceof Date ? value.toISOString() : value;
    const line = typeof text === 'string' ? text : JSON.stringify(text);
    await output.print(`${field.padEnd(width)}  ${line}`);
  }
}

/** What it is as data, its next due times included. */
function withTimes({ next, ...schedule }: Schedule) {
  return { ...schedule, nextTimes: next(TIMES_SHOWN) };
}

async function pause(schedules: ScheduleStore, output: Output, name: string): Promise<void> {
  await schedules.pause(name);
  await report(output, { paused: name }, `${name} is paused.`);
}

async function resume(schedules: ScheduleStore, output: Output, name: string): Promise<void> {
  await schedules.resume(name);
  const schedule = await schedules.get(name);
  const nextDue = schedule?.nextDue ?? null;
  const when = nextDue ? `fires next at ${nextDue.toISOString()}` : 'will not fire again';
  await report(output, { resumed: name, nextDue }, `${name} ${when}.`);
}

async function run(schedules: ScheduleStore, output: Output, name: string): Promise<void> {
  const id = await schedules.runNow(name);
  await report(output, { id }, id);
}

async function remove(schedules: ScheduleStore, output: Output, name: string): Promise<void> {
  if (!(await schedules.remove(name))) throw new ScheduleNotFoundError(name);
  await report(output, { removed: name }, `${name} is removed.`);
}

function report(output: Output, data: object, line: string): Promise<void> {
  return output.isJson ? output.printJson(data) : output.print(line);
}
