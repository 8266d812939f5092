import { Command } from 'commander';
import type { LaneFilter, Pause } from '../../store/task-store.js';
import { UsageError } from '../cli-errors.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Output } from '../output.js';
import { runSession, type Session } from '../session.js';
import { alignRows } from '../table.js';

/** `signalbox pause`: nobody owns tasks of a lane; without one, what is paused. */
export function pauseCommand(): Command {
  return addLaneOptions(
    new Command('pause').description(
      'let nobody begin tasks of a queue, an action, or an action in a queue; without either, list what is paused',
    ),
  ).action((lanes: LaneFilter, command: Command) =>
    runSession(command, (session) => pause(session, lanes)),
  );
}

/** `signalbox resume`: takes a pause back. */
export function resumeCommand(): Command {
  return addLaneOptions(
    new Command('resume').description('take back the pause of the same queue and action'),
  ).action((lanes: LaneFilter, command: Command) =>
    runSession(command, (session) => resume(session, lanes)),
  );
}

function addLaneOptions(command: Command): Command {
  return command
    .option('--queue <name>', 'the queue; left out: every one')
    .option('--action <name>', 'the action; left out: every one');
}

async function pause({ globals, output }: Session, lanes: LaneFilter): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  if (isEmpty(lanes)) {
    await listPauses(output, await context.store.listPauses());
    return EXIT.ok;
  }
  await context.store.pause(lanes);
  const line = `${describeLanes(lanes)} is paused; what is in progress goes on.`;
  await report(output, { paused: lanes }, line);
  return EXIT.ok;
}

async function resume({ globals, output }: Session, lanes: LaneFilter): Promise<ExitCode> {
  if (isEmpty(lanes))
    throw new UsageError('Which pause? Give --queue, --action or both, as paused.');
  await using context = await openContext(globals, { output });
  const resumed = await context.store.resume(lanes);
  const name = describeLanes(lanes);
  const line = resumed ? `${name} is resumed.` : `${name} was not paused; see signalbox pause.`;
  await report(output, { resumed }, line);
  return EXIT.ok;
}

function isEmpty({ queue, action }: LaneFilter): boolean {
  return queue === undefined && action === undefined;
}

function describeLanes({ queue, action }: LaneFilter): string {
  if (action === undefined) return `Queue ${queue}`;
  return queue === undefined ? `Action ${action}` : `Action ${action} in queue ${queue}`;
}

async function listPauses(output: Output, pauses: readonly Pause[]): Promise<void> {
  if (output.isJson) return output.printJson(pauses);
  for await (const line of alignRows(HEADER, toRows(pauses))) await output.print(line);
}

const HEADER = ['QUEUE', 'ACTION', 'SINCE'];

async function* toRows(pauses: readonly Pause[]): AsyncGenerator<string[], void> {
  for (const { queue, action, since } of pauses) {
    yield [queue ?? '(all)', action ?? '(all)', since.toISOString()];
  }
}

function report(output: Output, data: object, line: string): Promise<void> {
  return output.isJson ? output.printJson(data) : output.print(line);
}
