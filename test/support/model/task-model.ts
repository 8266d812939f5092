import type { HeldTask, StatusCode } from '../../../src/index.js';
import {
  hasTriesLeft,
  isEnded,
  later,
  type ModelTask,
  placeOf,
  retryAt,
  type TaskSpec,
} from './model-task.js';
import type { Answer, Claim, Claimed, ReturnSpec, Step, UpdateSpec } from './step.js';
import { UniqueKeys } from './unique-keys.js';

/**
 * The engine as its documentation describes it, in memory and one step at a time. It shares nothing with the SQL.
 *
 * Signals are given in rounds: all that a step ends signals at once, each target its share; then all that the
 * engine's lane holds ends, and signals; and so on until the lane is empty.
 */
export class TaskModel {
  readonly tasks = new Map<string, ModelTask>();
  nowMs = 0;
  #step = 0;
  #keys = new UniqueKeys();

  clone(): TaskModel {
    const copy = new TaskModel();
    copy.nowMs = this.nowMs;
    copy.#step = this.#step;
    copy.#keys = this.#keys.clone();
    for (const [id, task] of this.tasks) copy.tasks.set(id, { ...task });
    return copy;
  }

  /** Does what verbs that run together should do, one after the other; returns what each should answer. */
  apply(steps: readonly Step[]): Answer[] {
    this.#step++;
    return steps.map((step) => this.#apply(step));
  }

  #apply(step: Step): Answer {
    switch (step.verb) {
      case 'insert':
        return this.#insert(step.tasks);
      case 'return':
        return this.#return(step.returns);
      case 'extend':
        return this.#extend(step);
      case 'begin':
        return this.#begin(step.held);
      case 'update':
        return this.#update(step.updates);
      case 'timers':
        return this.#timers();
      case 'cancel':
        return this.#cancel(step.downstream ? this.downstream(step.ids) : step.ids);
      case 'signal':
        return this.#signalFromOutside(step.ids, step.failed);
      case 'rerun':
        return this.#rerun(step);
      case 'delete':
        return this.#delete(step);
    }
  }

  /** What a claim does before it chooses. */
  prepareClaim(): void {
    this.#step++;
    this.#timers();
  }

  /** Takes in what a claim, found to be within the rules, chose. */
  own(claim: Claim, claimed: readonly Claimed[]): void {
    for (const { id, token, isBegun } of claimed) {
      const task = this.#task(id);
      const durationMs = task.spec.maxDurationMs ?? claim.durationMs;
      task.statusCode = 'in-progress';
      task.numTries++;
      task.isBegun = isBegun;
      if (task.spec.uniqueUntilStarted) this.#keys.free(task.spec, this.nowMs);
      task.token = token;
      task.deadlineMs = durationMs === null ? null : this.nowMs + durationMs;
    }
  }

  /** Ids and all that they signal, transitively. */
  downstream(ids: readonly string[]): string[] {
    const reached = new Set(ids);
    for (const id of reached) {
      for (const target of this.tasks.get(id)?.spec.targets ?? []) reached.add(target);
    }
    return [...reached];
  }

  #task(id: string): ModelTask {
    const task = this.tasks.get(id);
    if (!task) throw new Error(`the model has no task ${id}`);
    return task;
  }

  #existing(ids: Iterable<string>): ModelTask[] {
    return [...new Set(ids)].flatMap((id) => this.tasks.get(id) ?? []);
  }

  #insert(specs: readonly TaskSpec[]): Answer {
    const batch = new Set(specs.map(({ id }) => id));
    const outside = specs.flatMap(({ targets }) => targets.filter((id) => !batch.has(id)));
    if (outside.some((id) => !this.tasks.has(id))) return 'SB002';
    if (outside.some((id) => placeOf(this.#task(id)) !== 'waiting')) return 'SB003';
    if (!this.#keys.areFree(specs, this.nowMs)) return 'SB006';

    for (const spec of specs) this.#keys.take(spec, this.nowMs);
    for (const id of outside) {
      const target = this.#task(id);
      if (target.spec.givenTotal === null) target.total++;
    }
    const listed = specs.flatMap(({ targets }) => targets);
    const added = specs.map((spec) => {
      const total = spec.givenTotal ?? listed.filter((id) => id === spec.id).length;
      return newTask(spec, total);
    });
    for (const task of added) this.tasks.set(task.spec.id, task);
    this.#enqueue(added);
    this.#settle();
    return null;
  }

  /** Rows for those that did not become what was asked. */
  #return(returns: readonly ReturnSpec[]): Answer {
    const answer: [string, string | null][] = [];
    const ended: ModelTask[] = [];
    const deleted: string[] = [];
    for (const { id, token, code, startAfterMs, retryDelayMs, isDeleted } of returns) {
      const task = this.tasks.get(id);
      if (!task || task.token !== token) {
        answer.push([id, null]);
        continue;
      }
      const isSnooze = code === 'pending' && startAfterMs !== null;
      const isExhausted = code === 'pending' && !isSnooze && !hasTriesLeft(task);
      if (isExhausted) answer.push([id, 'aborted']);
      task.status = `returned as ${code}`;
      if (code === 'aborted' || (code === 'pending' && !isSnooze)) task.numAttempts++;
      if (code === 'completed' && isDeleted) deleted.push(id);
      if (code === 'pending' && !isExhausted) {
        // The task's own policy goes before what the return says.
        const hasPolicy = task.spec.retryDelayMs !== null || retryDelayMs === null;
        const retryMs = hasPolicy ? retryAt(task, this.nowMs) : this.nowMs + retryDelayMs;
        const backMs = startAfterMs ?? retryMs;
        if (isSnooze) task.numTries--;
        this.#backToPending(task, later(backMs, this.nowMs));
      } else {
        this.#end(task, isExhausted ? 'aborted' : code);
        ended.push(task);
      }
    }
    this.#signalTargetsOf(ended);
    this.#settle();
    for (const id of deleted) this.tasks.delete(id);
    return answer.sort();
  }

  #begin(held: readonly HeldTask[]): Answer {
    const begun = held.filter(({ id, token }) => this.tasks.get(id)?.token === token);
    for (const { id } of begun) this.#task(id).isBegun = true;
    return begun.map(({ id }) => [id]).sort();
  }

  #update(updates: readonly UpdateSpec[]): Answer {
    const tasks = this.#existing(updates.map(({ id }) => id));
    if (tasks.length < updates.length) return 'SB001';
    if (tasks.some(({ statusCode }) => statusCode !== 'pending')) return 'SB007';
    for (const { id, priority, startAfterMs } of updates) {
      const task = this.#task(id);
      const { dueMs, spec } = task;
      task.spec = { ...spec, priority: priority ?? spec.priority };
      if (startAfterMs !== undefined) {
        task.spec = { ...task.spec, startAfterMs };
        task.dueMs = later(startAfterMs, this.nowMs);
      }
      const isMoved = task.dueMs !== dueMs || task.spec.priority !== spec.priority;
      if (isMoved) task.readyStep = this.#step;
    }
    this.#settle();
    return null;
  }

  #extend({ held, durationMs }: Step & { verb: 'extend' }): Answer {
    const extended: [string][] = [];
    for (const { id, token } of held) {
      const task = this.tasks.get(id);
      if (task?.token !== token) continue;
      task.deadlineMs = durationMs === null ? null : this.nowMs + durationMs;
      extended.push([id]);
    }
    return extended.sort();
  }

  #timers(): Answer {
    const due = this.#all((task) => placeOf(task) === 'timer' && (task.dueMs ?? 0) <= this.nowMs);
    const lapsed = this.#all(({ deadlineMs }) => deadlineMs !== null && deadlineMs <= this.nowMs);
    this.#enqueue(due);
    for (const task of lapsed) {
      if (!task.isBegun) {
        task.status = 'was owned ahead';
        task.numTries--;
        this.#backToPending(task, null);
        continue;
      }
      task.status = 'lapsed';
      task.numAttempts++;
      if (hasTriesLeft(task)) this.#backToPending(task, retryAt(task, this.nowMs));
      else this.#end(task, 'aborted');
    }
    this.#signalTargetsOf(lapsed.filter(isEnded));
    this.#settle();
    return null;
  }

  #cancel(ids: readonly string[]): Answer {
    const cancelled = this.#existing(ids).filter((task) => !isEnded(task));
    for (const task of cancelled) {
      task.status = 'not wanted';
      this.#end(task, 'cancelled');
    }
    this.#signalTargetsOf(cancelled);
    this.#settle();
    return cancelled.length;
  }

  #signalFromOutside(ids: readonly string[], failed: boolean): Answer {
    const waiting = this.#existing(ids).filter((task) => placeOf(task) === 'waiting');
    for (const task of waiting) this.#signal(task, [failed ? 'aborted' : 'completed']);
    this.#settle();
    return waiting.length;
  }

  #rerun({ ids, downstream, startAfterMs }: Step & { verb: 'rerun' }): Answer {
    const named = this.#existing(ids).filter(isEnded);
    const namedIds = named.map(({ spec }) => spec.id);
    const again = downstream ? this.#existing(this.downstream(namedIds)) : named;
    if (again.length === 0) return 0;
    const specs = again.map(({ spec }) => spec);
    if (!this.#keys.areFree(specs, this.nowMs)) return 'SB006';
    for (const spec of specs) this.#keys.take(spec, null);

    const targets = this.#existing(again.flatMap(({ spec }) => spec.targets));
    const lessSignalled = targets.filter(
      (task) => ['pending', 'cancelled'].includes(task.statusCode) || again.includes(task),
    );
    for (const target of lessSignalled) this.#takeBack(target, again.filter(isEnded));
    for (const task of again) {
      task.numTries = 0;
      task.status = null;
      const isNamed = ids.includes(task.spec.id);
      const startMs = (isNamed ? startAfterMs : null) ?? task.spec.startAfterMs;
      this.#backToPending(task, later(startMs, this.nowMs));
    }
    this.#enqueue([...again, ...lessSignalled]);
    this.#settle();
    return again.length;
  }

  #delete({ ids, sparesOwned }: Step & { verb: 'delete' }): Answer {
    let count = 0;
    let generation = this.#existing(ids).filter(
      ({ statusCode }) => !(sparesOwned && statusCode === 'in-progress'),
    );
    while (generation.length > 0) {
      const unfinished = generation.filter((task) => !isEnded(task));
      const edges = unfinished.flatMap(({ spec }) => spec.targets);
      const orphans = new Set<ModelTask>();
      for (const target of this.#existing(edges)) {
        if (generation.includes(target) || target.numSignals >= target.total) continue;
        const lost = edges.filter((id) => id === target.spec.id).length;
        target.total = Math.max(target.total - lost, target.numSignals);
        if (target.statusCode === 'pending' && target.numSignals === target.total) {
          orphans.add(target);
        }
      }
      for (const { spec } of unfinished) this.#keys.free(spec, this.nowMs);
      for (const { spec } of generation) this.tasks.delete(spec.id);
      count += generation.length;
      generation = [...orphans];
    }
    return count;
  }

  #all(isWanted: (task: ModelTask) => boolean): ModelTask[] {
    return [...this.tasks.values()].filter(isWanted);
  }

  #end(task: ModelTask, statusCode: StatusCode): void {
    task.statusCode = statusCode;
    if (isEnded(task)) this.#keys.free(task.spec, this.nowMs);
    task.token = null;
    task.deadlineMs = null;
    task.dueMs = null;
  }

  #backToPending(task: ModelTask, dueMs: number | null): void {
    this.#end(task, 'pending');
    task.dueMs = dueMs;
    task.readyStep = this.#step;
  }

  /** Pending tasks that have all their signals become ready, unless their time is still ahead. */
  #enqueue(tasks: readonly ModelTask[]): void {
    for (const task of tasks) {
      const place = placeOf(task);
      if (place === 'waiting' || place === 'owned' || place === 'ended') continue;
      task.dueMs = later(task.dueMs, this.nowMs);
      task.readyStep = this.#step;
    }
  }

  #signalTargetsOf(ended: readonly ModelTask[]): void {
    const signals = ended.flatMap(({ spec, statusCode }) =>
      spec.targets.map((target) => ({ target, statusCode })),
    );
    for (const target of this.#existing(signals.map((signal) => signal.target))) {
      const own = signals.filter((signal) => signal.target === target.spec.id);
      this.#signal(
        target,
        own.map(({ statusCode }) => statusCode),
      );
    }
  }

  /** A task takes no more signals than its total; of those that come together, failures first. */
  #signal(task: ModelTask, endings: readonly StatusCode[]): void {
    const room = task.total - task.numSignals;
    if (room <= 0) return;
    const kinds = endings.map(kindOf).sort().slice(0, room);
    task.numSignals += kinds.length;
    task.numFailures += kinds.filter((kind) => kind === 'failure').length;
    task.numSkipped += kinds.filter((kind) => kind === 'skipped').length;
    if (placeOf(task) === 'waiting' || task.statusCode !== 'pending') return;
    task.dueMs = later(task.dueMs, this.nowMs);
    task.readyStep = this.#step;
  }

  #takeBack(target: ModelTask, senders: readonly ModelTask[]): void {
    const own = senders.filter(({ spec }) => spec.targets.includes(target.spec.id));
    const kinds = own.map(({ statusCode }) => kindOf(statusCode));
    const less = (count: number, kind: Kind) =>
      Math.max(count - kinds.filter((one) => one === kind).length, 0);
    target.numSignals = Math.max(target.numSignals - kinds.length, 0);
    target.numFailures = Math.min(less(target.numFailures, 'failure'), target.numSignals);
    target.numSkipped = Math.min(
      less(target.numSkipped, 'skipped'),
      target.numSignals - target.numFailures,
    );
  }

  /** Ends what is in the engine's lane: milestones complete, what run_when forbids is skipped. */
  #settle(): void {
    for (;;) {
      const lane = this.#all((task) => placeOf(task) === 'engine');
      if (lane.length === 0) return;
      for (const task of lane) {
        const isMilestone = task.spec.action === null;
        task.status = isMilestone ? null : 'skipped';
        this.#end(task, isMilestone ? 'completed' : 'skipped');
      }
      this.#signalTargetsOf(lane);
    }
  }
}

/** In alphabetical order, a task that has not room for all of them takes them. */
type Kind = 'failure' | 'skipped' | 'success';

function kindOf(ended: StatusCode): Kind {
  if (ended === 'aborted' || ended === 'cancelled') return 'failure';
  return ended === 'skipped' ? 'skipped' : 'success';
}

function newTask(spec: TaskSpec, total: number): ModelTask {
  return {
    spec,
    statusCode: 'pending',
    numTries: 0,
    total,
    numSignals: 0,
    numFailures: 0,
    numSkipped: 0,
    dueMs: spec.startAfterMs,
    token: null,
    deadlineMs: null,
    isBegun: false,
    numAttempts: 0,
    status: null,
    readyStep: 0,
  };
}
