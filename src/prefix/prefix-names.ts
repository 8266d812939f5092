import { SignalboxError } from '../errors.js';
import type {
  Attempt,
  LaneFilter,
  ReturnReport,
  Task,
  TaskFilter,
  TaskInput,
  TaskReturnOutcome,
  TaskStanding,
  WaitReason,
} from '../store/task-store.js';

const PREFIXED_OPTIONS = ['uniqueKey', 'limitKey', 'fairKey', 'notifyChannelAfter'] as const;
const STRIPPED_FIELDS = ['action', ...PREFIXED_OPTIONS] as const;

/** How names go into a namespace and come out of it, in everything that holds names. */
export class PrefixNames {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = `${prefix}.`;
  }

  readonly add = (name: string): string => this.prefix + name;

  readonly strip = (name: string): string =>
    name.startsWith(this.prefix) ? name.slice(this.prefix.length) : name;

  readonly stripOptional = (name: string | null): string | null => name && this.strip(name);

  readonly stripId = <T extends { readonly id: string }>(named: T): T => ({
    ...named,
    id: this.strip(named.id),
  });

  readonly stripTask = (task: Task): Task => ({
    ...this.stripId(task),
    action: this.stripOptional(task.action),
    toSignalAfter: task.toSignalAfter.map(this.strip),
    uniqueKey: this.stripOptional(task.uniqueKey),
    limitKey: this.stripOptional(task.limitKey),
    fairKey: this.stripOptional(task.fairKey),
    notifyChannelAfter: this.stripOptional(task.notifyChannelAfter),
    actorId: this.stripOptional(task.actorId),
    ...(task.attempts ? { attempts: task.attempts.map(this.stripAttempt) } : {}),
  });

  readonly stripAttempt = (attempt: Attempt): Attempt => ({
    ...attempt,
    actorId: this.stripOptional(attempt.actorId),
  });

  readonly stripStanding = (standing: TaskStanding): TaskStanding => ({
    ...this.stripId(standing),
    reasons: standing.reasons.map(this.stripReason),
  });

  readonly stripReason = (reason: WaitReason): WaitReason => {
    switch (reason.kind) {
      case 'signals':
        return {
          ...reason,
          from: reason.from.map(this.strip),
          roots: reason.roots.map(this.stripStanding),
        };
      case 'owned':
        return { ...reason, actorId: this.stripOptional(reason.actorId) };
      case 'paused':
        return { ...reason, action: this.stripOptional(reason.action) };
      case 'no-worker':
        return { ...reason, action: this.strip(reason.action) };
      case 'limit':
      case 'rate':
        return { ...reason, key: this.strip(reason.key) };
      default:
        return reason;
    }
  };

  readonly addToFilter = <F extends TaskFilter>({ idPrefix = '', actions, ...others }: F) => ({
    ...others,
    idPrefix: this.add(idPrefix),
    ...(actions ? { actions: actions.map(this.add) } : {}),
  });

  /** A pause of a queue alone stays one. */
  readonly addToLanes = ({ action, ...others }: LaneFilter): LaneFilter =>
    action ? { ...others, action: this.add(action) } : others;

  readonly stripReport = (report: ReturnReport): ReturnReport =>
    report.ok
      ? this.stripId(report)
      : { ...this.stripId(report), error: this.stripError(report.error) };

  /** What is no name stays as it is: the store below says what is wrong with it. */
  readonly addToTask = (task: TaskInput): TaskInput => {
    const add = <T>(name: T): T | string =>
      typeof name === 'string' && name !== '' ? this.add(name) : name;
    const prefixed: Record<string, unknown> = {
      ...task,
      id: add(task.id),
      action: add(task.action),
    };
    if (Array.isArray(task.toSignalAfter)) prefixed.toSignalAfter = task.toSignalAfter.map(add);
    for (const name of PREFIXED_OPTIONS) {
      if (task[name] !== undefined) prefixed[name] = add(task[name]);
    }
    return { ...task, ...prefixed };
  };

  /** The inverse of addToTask, of a task without its id. */
  readonly stripInput = <T extends Partial<TaskInput>>(task: T): T => {
    const stripped: Record<string, unknown> = {};
    for (const name of STRIPPED_FIELDS) {
      const value = task[name];
      if (typeof value === 'string') stripped[name] = this.strip(value);
    }
    if (task.toSignalAfter) stripped.toSignalAfter = task.toSignalAfter.map(this.strip);
    return { ...task, ...stripped };
  };

  readonly addToOutcome = <T extends TaskReturnOutcome>(outcome: T): T =>
    outcome.tasks ? { ...outcome, tasks: outcome.tasks.map(this.addToTask) } : outcome;

  readonly stripError = <E>(error: E): E | SignalboxError =>
    error instanceof SignalboxError ? error.renamed(this.strip) : error;
}
