import type { Command } from 'commander';
import type { StatusCode, TaskFilter } from '../store/task-store.js';
import { collect, collectStatus, parseCount, parseTime, STATUS_CODES } from './option-parsers.js';

/** Which tasks a command is about. */
export interface FilterOptions {
  idPrefix?: string;
  action?: string[];
  queue?: string[];
  status?: StatusCode[];
  updatedSince?: Date;
  endedBefore?: Date;
  limit?: number;
}

const WHEN = 'a time (ISO 8601), or how long ago: 90m, 7d';

export function addFilterOptions(command: Command): Command {
  return command
    .option('--id-prefix <text>', 'only ids that begin with TEXT')
    .option('--action <name>', 'only this action (may be given several times)', collect)
    .option('--queue <name>', 'only this queue (may be given several times)', collect)
    .option(
      '--status <code>',
      `only ${STATUS_CODES.join(', ')} (may be given several times)`,
      collectStatus,
    )
    .option('--updated-since <when>', `only what has changed since: ${WHEN}`, parseTime)
    .option('--ended-before <when>', `only what ended before: ${WHEN}`, parseTime);
}

export function addLimitOption(command: Command): Command {
  return command.option('--limit <n>', 'at most N tasks', parseCount);
}

export function toFilter(options: FilterOptions): TaskFilter {
  const { idPrefix, action, queue, status, updatedSince, endedBefore, limit } = options;
  return {
    ...(idPrefix === undefined ? {} : { idPrefix }),
    ...(action === undefined ? {} : { actions: action }),
    ...(queue === undefined ? {} : { queues: queue }),
    ...(status === undefined ? {} : { statusCodes: status }),
    ...(updatedSince === undefined ? {} : { updatedSince }),
    ...(endedBefore === undefined ? {} : { endedBefore }),
    ...(limit === undefined ? {} : { limit }),
  };
}
