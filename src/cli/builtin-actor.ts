import { setTimeout as delay } from 'node:timers/promises';
import { PermanentError } from '../errors.js';
import type { Json, OwnedTask } from '../store/task-store.js';
import { LONGEST_TIMER_MS } from '../timers.js';
import type { ActionContext, ActionHandler, Actor } from '../worker/actor.js';
import { defineActor } from '../worker/define-actor.js';
import {
  elements,
  fault,
  type Located,
  member,
  optional,
  readNumber,
  readObject,
  readString,
} from '../workflow/json-reader.js';
import { type CommandLine, type CommandResult, runCommandLine } from './command-line.js';

/**
 * An actor of those built-in actions that are not in `except`; null if that leaves none.
 *
 * `sleep`, body `{ ms }`: takes that long. `noop`: takes no time. `exec`, only with `allowExec`, body `{ command, cwd?, env? }`:
 * runs a program, without a shell; its result is `{ exitCode, stdout, stderr }`, the last part of each. A program
 * that fails is tried again while the task has a `maxTries` that allows it, and otherwise aborts the task.
 */
export function builtinActor(options: {
  allowExec: boolean;
  except: ReadonlySet<string>;
}): Actor | null {
  const handlers: Record<string, ActionHandler> = { sleep, noop: () => {} };
  if (options.allowExec) handlers.exec = exec;
  const wanted = Object.entries(handlers).filter(([action]) => !options.except.has(action));
  return wanted.length === 0 ? null : defineActor('builtin', Object.fromEntries(wanted));
}

async function sleep(task: OwnedTask, { signal }: ActionContext): Promise<void> {
  const ms = readBody(task.body, readSleep);
  await delay(ms, undefined, { signal });
}

async function exec(task: OwnedTask, { signal }: ActionContext): Promise<Json> {
  const result = await runCommandLine(readBody(task.body, readCommandLine), signal);
  if (result.exitCode === 0) return { ...result };
  const message = failureOf(result);
  // Without a limit to its tries a command that always fails would be run for ever.
  throw task.maxTries === null ? new PermanentError(message) : new Error(message);
}

const SHOWN_CHARACTERS = 500;

function failureOf({ exitCode, stderr }: CommandResult): string {
  const said = stderr.trim().slice(-SHOWN_CHARACTERS);
  return `the command ended with ${exitCode}${said === '' ? '' : `: ${said}`}`;
}

/** A body that cannot be read now never can. */
function readBody<T>(body: Json, read: (body: Located) => T): T {
  try {
    return read({ value: body, path: 'body' });
  } catch (error) {
    throw new PermanentError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

function readSleep(body: Located): number {
  const at = member(body, 'ms');
  const ms = readNumber(at);
  if (ms < 0 || ms > LONGEST_TIMER_MS) throw fault(at, `a number from 0 to ${LONGEST_TIMER_MS}`);
  return ms;
}

function readCommandLine(body: Located): CommandLine {
  const at = member(body, 'command');
  const [program, ...args] = elements(at).map(readString);
  if (program === undefined) throw fault(at, 'a program and its arguments');
  const cwd = optional(member(body, 'cwd'), readString);
  const env = optional(member(body, 'env'), readEnvironment);
  return {
    program,
    args,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  };
}

function readEnvironment(at: Located): Record<string, string> {
  const names = Object.keys(readObject(at));
  return Object.fromEntries(names.map((name) => [name, readString(member(at, name))]));
}
