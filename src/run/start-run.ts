import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { DuplicateTaskError, InvalidOptionError } from '../errors.js';
import { idFault } from '../graph/check-id.js';
import type { Graph } from '../graph/definition.js';
import type { InsertOptions, Json, TaskStore } from '../store/task-store.js';
import { INTERNAL, runIdOf } from './names.js';
import { Run } from './run.js';
import { readRunBody } from './run-body.js';
import { RunExistsError, RunInputMismatchError } from './run-errors.js';
import { toRunInput } from './run-input.js';
import { type RunSettings, runTasks } from './run-tasks.js';

export interface StartOptions extends InsertOptions, RunSettings {
  /** Default: a new one. The run's tasks are `<graph>/<runId>/...`. */
  readonly runId?: string | undefined;
  /** Another start with the same key gives the same run, whatever has become of it. Instead of `runId`. */
  readonly idempotencyKey?: string | undefined;
  /** With `runId`: a run of that id that is there already is given, if its input is the same. Default false. */
  readonly resume?: boolean | undefined;
}

/** The input, which may be left out of a graph that takes none; then the options. */
export type StartArguments<I, Options = StartOptions> = void extends I
  ? [input?: I, options?: Options]
  : [input: I, options?: Options];

const KEY_CHARACTERS = 32;
const RANDOM_BYTES = 8;

/**
 * Inserts a whole run, all or nothing, in the caller's transaction if one is given.
 *
 * The input is validated first: InvalidValueError, and nothing is inserted. RunExistsError if `runId` is taken;
 * RunInputMismatchError if
 * the run that `idempotencyKey` or `resume` would give has another input.
 */
export async function startRun<I, O>(
  store: TaskStore,
  graph: Graph<I, O>,
  ...[input, options = {}]: StartArguments<I>
): Promise<Run<O>> {
  const { tx, runId, idempotencyKey, resume = false, ...settings } = options;
  const value = await toRunInput(graph, input);
  const id = chooseId(runId, idempotencyKey);
  const run = runIdOf(graph, id);
  try {
    await store.insertTasks(runTasks(graph, run, value, settings), tx ? { tx } : {});
  } catch (error) {
    if (!(error instanceof DuplicateTaskError)) throw error;
    if (idempotencyKey === undefined && !resume) throw new RunExistsError(run, { cause: error });
    await checkInput(store, run, value, idempotencyKey ?? null);
  }
  return new Run<O>(store, graph, run);
}

/** The handle of a run that was started, by `<runId>`, `<graph>/<runId>` or the id that `spawn` gave. Asks nothing. */
export function openRun<O>(store: TaskStore, graph: Graph<never, O>, id: string): Run<O> {
  const isWhole = id.startsWith(`${graph.name}/`) || id.includes(`/${INTERNAL.spawned}/`);
  return new Run<O>(store, graph, isWhole ? id : runIdOf(graph, id));
}

/** Ids of new runs begin with the time: they are inserted at the end of the primary key. */
function chooseId(runId: string | undefined, key: string | undefined): string {
  if (runId !== undefined && key !== undefined) {
    throw new InvalidOptionError(
      'idempotencyKey',
      'names the run, as runId does; give one of them',
    );
  }
  if (key !== undefined) {
    return `key-${createHash('sha256').update(key).digest('hex').slice(0, KEY_CHARACTERS)}`;
  }
  if (runId === undefined) {
    return `${Date.now().toString(36).padStart(9, '0')}${randomBytes(RANDOM_BYTES).toString('hex')}`;
  }
  const fault = idFault(runId);
  if (fault !== null) throw new InvalidOptionError('runId', fault);
  return runId;
}

async function checkInput(
  store: TaskStore,
  run: string,
  input: Json | undefined,
  key: string | null,
): Promise<void> {
  const task = await store.getTask(run);
  // Deleted in the meantime: it was there, and has the input that it had.
  if (task && !isDeepStrictEqual(readRunBody(task.body).input, input)) {
    throw new RunInputMismatchError(run, key);
  }
}
