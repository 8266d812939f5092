import type { OwnedTask, TaskInput } from '../store/task-store.js';
import type { ActorResult } from '../worker/actor.js';
import { below, INTERNAL, taskId } from './names.js';
import { completed, follow, idInScope, judgeNode, type Performing } from './performing.js';
import type { Work } from './plan.js';
import { fieldOf } from './run-reader.js';

/*
 * An event: `~payload` is a milestone that waits for one signal from outside, which brings the payload and may come
 * before anybody waits for it. The gate judges the event once its dependencies have ended, and gives the signal itself where
 * no payload is to be waited for: by `~skipped` at once, or by `~timeout`, a milestone with a time at which it starts.
 *
 *   after -> ~gate -> event <- ~payload <- run.signal(), ~timeout or ~skipped
 *
 * No worker is held while it waits. Performed again, the gate deletes what it inserted before, and puts a `~payload`
 * that ended without a payload anew; one that came is kept. Until the gate is returned the event cannot begin.
 */

type Of<Role extends Work['role']> = Performing<Extract<Work, { role: Role }>>;

export async function performEventGate(performing: Of<'event-gate'>): Promise<ActorResult> {
  const { store, run, work, task } = performing;
  const event = below(work.scope.path, work.node.id);
  const id = (name: string) => taskId(run, below(event, name));
  const payload = id(INTERNAL.payload);
  await store.deleteTasks([id(INTERNAL.timeout), id(INTERNAL.skipped)]);
  const [known] = await store.getOutcomes([payload]);
  const judged = await judgeNode(performing, work.node.edges);
  const result = 'refusal' in judged ? judged.refusal : completed(undefined);
  if (known?.statusCode === 'completed' && known.result !== null) return result;

  const tasks: TaskInput[] = [];
  if (known?.statusCode !== 'pending') {
    await store.deleteTasks([payload]);
    tasks.push({
      id: payload,
      action: null,
      totalDependencies: 1,
      toSignalAfter: [taskId(run, event)],
    });
  }
  const { timeoutMs } = work.node;
  const release = { action: null, toSignalAfter: [payload] };
  if ('refusal' in judged) tasks.push({ ...release, id: id(INTERNAL.skipped) });
  else if (timeoutMs !== null) {
    tasks.push({
      ...release,
      id: id(INTERNAL.timeout),
      startAfter: new Date(ownedAt(task) + timeoutMs),
    });
  }
  return { ...result, ...(tasks.length > 0 ? { tasks } : {}) };
}

export async function performEvent({
  store,
  run,
  work,
  reader,
}: Of<'event'>): Promise<ActorResult> {
  const id = (name: string) => taskId(run, below(work.path, name));
  const [gated, payload] = await reader.outcomes([id(INTERNAL.gate), id(INTERNAL.payload)]);
  const { timeoutMs } = work.node;
  if (timeoutMs !== null) await store.deleteTasks([id(INTERNAL.timeout)]);
  const gate = reader.outcomeOf('task', gated);
  if (gate.statusCode !== 'completed') return follow(gate);
  if (payload?.statusCode === 'cancelled') {
    return { statusCode: 'aborted', status: payload.status ?? 'it was cancelled' };
  }
  if (!payload?.result) {
    return { statusCode: 'aborted', status: `no payload came within ${timeoutMs} ms` };
  }
  return completed(fieldOf(payload.result, 'payload'));
}

/** By the database's clock, as far as the lease tells. */
function ownedAt({ deadline, maxDurationMs }: OwnedTask): number {
  return deadline && maxDurationMs !== null ? deadline.getTime() - maxDurationMs : Date.now();
}

/**
 * Comes back when the time is over, by the database's clock: no other is asked, so that a worker whose own is behind
 * neither waits longer nor comes back again and again. The end is worked out once and kept as the result
 * meanwhile: neither a crash nor a function that would now say another time moves it.
 */
export async function performSleep(performing: Of<'sleep'>): Promise<ActorResult> {
  const { reader, work, task } = performing;
  const [judged, [own]] = await Promise.all([
    judgeNode(performing, work.node.edges),
    reader.outcomes([task.id]),
  ]);
  if ('refusal' in judged) return judged.refusal;
  const isOver = fieldOf(own?.result ?? null, 'until') !== undefined;
  if (isOver) return completed(undefined);
  const readyAt = await readyTime(performing);
  const until = await wakeTime(performing, judged, readyAt);
  if (until <= readyAt) return completed(undefined);
  const startAfter = new Date(until);
  const status = `sleeps until ${startAfter.toISOString()}`;
  return { statusCode: 'pending', status, startAfter, result: { until } };
}

async function wakeTime(
  performing: Of<'sleep'>,
  { input, deps }: { readonly input: unknown; readonly deps: Readonly<Record<string, unknown>> },
  readyAt: number,
): Promise<number> {
  const { time } = performing.work.node;
  const given = typeof time === 'function' ? await time({ input, deps }) : time;
  if (given instanceof Date && !Number.isNaN(given.getTime())) return given.getTime();
  if (typeof given !== 'number' || !(given >= 0)) {
    throw new TypeError(`a sleep takes milliseconds or a Date, not ${String(given)}`);
  }
  return readyAt + given;
}

/** When all that it depends on had ended; without any, when the run began. */
async function readyTime(performing: Of<'sleep'>): Promise<number> {
  const { reader, run, work } = performing;
  const { path } = work.scope;
  const ids = work.node.edges.flatMap(({ nodes }) => nodes.map((id) => idInScope(performing, id)));
  if (ids.length === 0) ids.push(path === '' ? run : taskId(run, below(path, INTERNAL.input)));
  const tasks = await reader.tasks(ids);
  return Math.max(
    ...ids.map((id) => {
      const task = tasks.get(id);
      const time = id === run ? (task?.startAfter ?? task?.createdAt) : task?.finishedAt;
      return time?.getTime() ?? 0;
    }),
  );
}
