import type { Json, Rate, RetryPolicy, RunWhen, TaskInput } from '../store/task-store.js';
import { InvalidFileError } from './invalid-file-error.js';
import {
  elements,
  fault,
  isJsonArray,
  isJsonObject,
  type Located,
  member,
  optional,
  readNumber,
  readObject,
  readString,
  readStrings,
} from './json-reader.js';

const RUN_WHEN: readonly RunWhen[] = ['all_done', 'all_succeeded', 'any_failed', 'any_succeeded'];

/** Readers of the fields that may be left out. */
const FIELDS = {
  body: (at: Located): Json => at.value ?? null,
  toSignalAfter: readStrings,
  totalDependencies: readNumber,
  queue: readString,
  priority: readNumber,
  startAfter: readTime,
  maxTries: readNumber,
  retry: readRetry,
  maxDurationMs: readNumber,
  runWhen: readRunWhen,
  uniqueKey: readString,
  uniqueUntil: readUniqueUntil,
  uniqueForMs: readNumber,
  limitKey: readString,
  limit: readNumber,
  rateLimit: readRate,
  fairKey: readString,
  notifyChannelAfter: readString,
} satisfies {
  [Field in keyof Omit<TaskInput, 'id' | 'action'>]-?: (at: Located) => TaskInput[Field];
};

const FIELD_NAMES: ReadonlySet<string> = new Set(['id', 'action', ...Object.keys(FIELDS)]);

/** Whether a document has the outer form of a task list: an array, or an object with a list of `tasks`. */
export function isTaskList(document: Json): boolean {
  return isJsonArray(document) || (isJsonObject(document) && isJsonArray(document.tasks));
}

/**
 * Reads a task list: an array of tasks as `insertTasks` takes them, or `{ "tasks": [...] }`.
 *
 * `startAfter` is an ISO 8601 time with its zone. InvalidFileError, with the path, for a field that is unknown or of the wrong
 * type; ranges and edges are checked when the tasks are inserted.
 */
export function parseTaskList(document: Json): TaskInput[] {
  const list = isJsonObject(document) ? document.tasks : document;
  return elements({ value: list, path: 'tasks' }).map(readTask);
}

function readTask(at: Located): TaskInput {
  const unknown = Object.keys(readObject(at)).find((name) => !FIELD_NAMES.has(name));
  if (unknown !== undefined) {
    const known = [...FIELD_NAMES].join(', ');
    throw new InvalidFileError(member(at, unknown).path, `is not a field; the fields are ${known}`);
  }
  const task: TaskInput = { id: readString(member(at, 'id')), action: readAction(at) };
  for (const [name, read] of Object.entries(FIELDS)) {
    const value = optional<unknown>(member(at, name), read);
    if (value !== undefined) Object.assign(task, { [name]: value });
  }
  return task;
}

/** Null makes a milestone. It has to be said: an action left out is more likely forgotten. */
function readAction(at: Located): string | null {
  const action = member(at, 'action');
  if (action.value === null) return null;
  if (typeof action.value !== 'string') throw fault(action, 'a string, or null for a milestone');
  return action.value;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** A time without a zone would mean another moment on another machine, so it is refused. */
function readTime(at: Located): Date {
  const text = readString(at);
  const time = new Date(text);
  if (!ISO_TIME.test(text) || Number.isNaN(time.getTime())) {
    throw fault(at, 'a time in ISO 8601 with its zone, like "2030-01-31T12:00:00Z"');
  }
  return time;
}

function readRunWhen(at: Located): RunWhen {
  const runWhen = RUN_WHEN.find((known) => known === at.value);
  if (runWhen === undefined) throw fault(at, `one of ${RUN_WHEN.join(', ')}`);
  return runWhen;
}

function readUniqueUntil(at: Located): 'finished' | 'started' {
  if (at.value === 'finished' || at.value === 'started') return at.value;
  throw fault(at, "'finished' or 'started'");
}

function readRate(at: Located): Rate {
  return {
    count: readNumber(member(at, 'count')),
    intervalMs: readNumber(member(at, 'intervalMs')),
  };
}

function readRetry(at: Located): RetryPolicy {
  const factor = optional(member(at, 'factor'), readNumber);
  const maxDelayMs = optional(member(at, 'maxDelayMs'), readNumber);
  const jitter = optional(member(at, 'jitter'), readNumber);
  return {
    delayMs: readNumber(member(at, 'delayMs')),
    ...(factor === undefined ? {} : { factor }),
    ...(maxDelayMs === undefined ? {} : { maxDelayMs }),
    ...(jitter === undefined ? {} : { jitter }),
  };
}
