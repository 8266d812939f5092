import { createHash } from 'node:crypto';
import type { Json, TaskInput } from '../store/task-store.js';
import { InvalidFileError } from '../workflow/invalid-file-error.js';
import { isJsonObject } from '../workflow/json-reader.js';
import { UsageError } from './cli-errors.js';
import type { TaskSource } from './modules.js';

/** The milestone that every leaf of a run signals: awaiting it is awaiting the whole. */
export const RUN_TASK_ID = '@run';

/** What is known of a run's tasks once all have passed; kept in the body of the milestone. */
export type RunSummary = {
  readonly tasks: number;
  /** Those with an action. */
  readonly actions: number;
  /** Of ids, actions, bodies and edges, in whatever order the tasks came. */
  readonly digest: string;
  readonly queues: readonly string[];
};

export interface RunScan {
  /** The source's tasks, the leaves signalling the milestone, and the milestone. To be iterated once. */
  tasks(): AsyncGenerator<TaskInput, void>;
  /** Of what has passed. */
  summary(): RunSummary;
}

const DIGEST_BYTES = 32;

/**
 * Takes stock of the tasks of a run while they stream by. UsageError for an action that nobody here performs: the
 * run would never end. Fires with the reason of `interrupted`, so that an insert leaves nothing.
 */
export function scanRun(
  source: TaskSource,
  { performed, interrupted }: { performed: ReadonlySet<string>; interrupted: AbortSignal },
): RunScan {
  const sum = Buffer.alloc(DIGEST_BYTES);
  const queues = new Set<string>();
  let tasks = 0;
  let actions = 0;
  const summary = (): RunSummary => ({
    tasks,
    actions,
    digest: sum.toString('hex'),
    queues: [...queues].sort(),
  });

  async function* pass(): AsyncGenerator<TaskInput, void> {
    for await (const task of source) {
      interrupted.throwIfAborted();
      checkTask(task, tasks, performed);
      tasks++;
      if (task.action !== null) actions++;
      queues.add(task.queue ?? 'default');
      addDigest(sum, task);
      yield signalRun(task);
    }
    yield { id: RUN_TASK_ID, action: null, body: summary() };
  }
  return { tasks: pass, summary };
}

/** A task that signals nothing else signals the milestone. */
export function signalRun(task: TaskInput): TaskInput {
  return task.toSignalAfter?.length ? task : { ...task, toSignalAfter: [RUN_TASK_ID] };
}

/** The summary in a milestone's body; null where it holds none. */
export function readSummary(body: Json): RunSummary | null {
  if (!isJsonObject(body)) return null;
  const { tasks, actions, digest, queues } = body;
  if (typeof tasks !== 'number' || typeof actions !== 'number') return null;
  if (typeof digest !== 'string' || !Array.isArray(queues)) return null;
  return { tasks, actions, digest, queues: queues.map(String) };
}

/** Only what the scan itself leans on: the rest is checked by the insert. */
function checkTask(task: TaskInput, ordinal: number, performed: ReadonlySet<string>): void {
  if (typeof task !== 'object' || task === null || typeof task.id !== 'string') {
    throw new InvalidFileError(`tasks[${ordinal}]`, 'must be an object with an id');
  }
  if (task.id === RUN_TASK_ID) {
    throw new InvalidFileError(
      `tasks[${ordinal}].id`,
      `is ${RUN_TASK_ID}, the name of the run itself`,
    );
  }
  if (task.action !== null && !performed.has(task.action)) {
    throw new UsageError(
      `Nobody performs the action ${JSON.stringify(task.action)} of task ${JSON.stringify(task.id)}. ${remedy(task.action, performed)}`,
    );
  }
}

function remedy(action: string, performed: ReadonlySet<string>): string {
  if (action === 'exec') return 'Allow the file to run commands with --exec.';
  const known = [...performed].sort().join(', ');
  return `Name a module with an actor for it: --actor MODULE. Known are: ${known}.`;
}

/** Digests are added up, so that their order does not matter. Times are left out: modules may compute them anew. */
function addDigest(sum: Buffer, task: TaskInput): void {
  const { id, action, body = null, toSignalAfter = [] } = task;
  const text = JSON.stringify([id, action, body, [...toSignalAfter].sort()]);
  const digest = createHash('sha256').update(text).digest();
  let carry = 0;
  for (let i = 0; i < DIGEST_BYTES; i++) {
    carry += (sum[i] ?? 0) + (digest[i] ?? 0);
    sum[i] = carry & 0xff;
    carry >>= 8;
  }
}
