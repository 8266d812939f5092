import type { TaskInput } from './task.js';

/** What a schedule inserts: one task, whose id is made of the schedule's name and the due time. */
export type ScheduleTask = Omit<TaskInput, 'id' | 'startAfter'>;

/** When a schedule is due. No due time is before `from`. */
export type ScheduleRule =
  | { readonly cron: string; readonly timeZone: string; readonly from?: Date }
  | { readonly everyMs: number; readonly from?: Date };

/**
 * Which due times fire that nobody was there to fire: in a downtime, say.
 *
 * - `none`: none older than `graceMs`; of several younger ones the latest.
 * - `last`: the latest of them, once.
 * - `all`: the latest `max` of them, each; one after another unless the schedule may overlap.
 */
export type CatchUp =
  | { readonly policy: 'none'; readonly graceMs: number }
  | { readonly policy: 'last' }
  | { readonly policy: 'all'; readonly max: number };

interface ScheduleInputBase {
  /** Unique within the prefix; 1 to 1,024 bytes in UTF-8. */
  name: string;
  task: ScheduleTask;
  /** No due time before it. For an interval also what it is counted from. */
  from?: Date;
  /** Default `'last'`. Default `graceMs`: 60,000; default `max`: 100, at most 1,000. */
  catchUp?:
    | CatchUp['policy']
    | { policy: 'none'; graceMs?: number }
    | { policy: 'last' }
    | { policy: 'all'; max?: number };
  /** Default false: a due time is passed over while the task inserted last, or the run that it started, has not ended. */
  mayOverlap?: boolean;
}

/** A schedule to put. */
export type ScheduleInput = ScheduleInputBase &
  (
    | {
        /** Five fields, or six with seconds in front. Also `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
        cron: string;
        /** The zone whose clocks `cron` means, `Europe/Berlin` for one. Default `'UTC'`, wherever the process runs. */
        timeZone?: string;
        everyMs?: never;
      }
    | {
        /** At least 1,000. Counted from `from`, or else from 1970, so that every process counts alike. */
        everyMs: number;
        cron?: never;
        timeZone?: never;
      }
  );

/** What a schedule says, checked and complete. */
export interface ScheduleSettings {
  readonly name: string;
  readonly rule: ScheduleRule;
  readonly task: ScheduleTask;
  readonly catchUp: CatchUp;
  readonly mayOverlap: boolean;
}

/** What a schedule says and has done. */
export interface ScheduleRecord extends ScheduleSettings {
  readonly isPaused: boolean;
  /** The oldest due time not decided on yet; null: none will come, or it is paused. */
  readonly nextDue: Date | null;
  /** The due time that fired last. */
  readonly lastDue: Date | null;
  /** The task inserted last, at a due time or by `runNow`. */
  readonly lastTaskId: string | null;
  readonly numFired: number;
  /** Due times passed over: missed, or while a task had not ended. Of one downtime at most 1,000 are counted. */
  readonly numSkipped: number;
  /** Why no task could be inserted at the last due time; null: it could. */
  readonly lastError: string | null;
  readonly createdAt: Date;
  /** When what it says changed last, or it was paused or resumed. */
  readonly updatedAt: Date;
}

export interface Schedule extends ScheduleRecord {
  /** Its next `count` due times, `nextDue` the first; none while it is paused. */
  next(count: number): Date[];
}

/** A schedule that could not insert its task; its due times count as skipped. */
export interface ScheduleFailure {
  readonly name: string;
  readonly error: Error;
}

/** What one pass over the due schedules did. */
export interface FireReport {
  /** Ids of the tasks inserted. */
  readonly fired: readonly string[];
  readonly failures: readonly ScheduleFailure[];
  /** Schedules that are due and wait for their last task to end. */
  readonly numHeld: number;
  /** Milliseconds until the next schedule is due, 0 or less: now; null: none will be. */
  readonly nextDueInMs: number | null;
}

/** What becomes of a schedule that is due. */
export type FireDecision =
  /** Not decided yet: it waits for its last task to end. */
  | { readonly isHeld: true }
  | {
      readonly isHeld: false;
      /** The due times that fire, in their order. */
      readonly fire: readonly Date[];
      readonly nextDue: Date | null;
      readonly numSkipped: number;
    };

/** What schedules mean: all of it that needs no database. */
export interface ScheduleLogic {
  /** Throws InvalidScheduleError or InvalidTaskError. */
  check(input: ScheduleInput): ScheduleSettings;
  /** The first due time after `time`; null: there is none. */
  nextAfter(rule: ScheduleRule, time: Date): Date | null;
  /** `isUnfinished`: the task it inserted last has not ended. */
  decide(
    schedule: ScheduleSettings & { readonly nextDue: Date },
    now: Date,
    isUnfinished: boolean,
  ): FireDecision;
}

/** Tasks that are inserted again and again. The database's clock decides what is due, and a Scheduler fires it. */
export interface ScheduleStore {
  /**
   * Creates a schedule, or replaces what it says. InvalidScheduleError, InvalidTaskError, InvalidBodyError.
   *
   * Meant for every start of every process: with the same rule the next due time stays, as does whether it is paused.
   * The first due time is after now: what lies before was not missed.
   */
  put(schedule: ScheduleInput): Promise<Schedule>;

  /** It fires no more until `resume`. ScheduleNotFoundError. */
  pause(name: string): Promise<void>;

  /** It goes on with the first due time from now on; those before are not made up for. ScheduleNotFoundError. */
  resume(name: string): Promise<void>;

  /**
   * Inserts its task at once, paused or not, as `<name>/now-<time>`; resolves with that id. Its due times stay.
   * ScheduleNotFoundError; ScheduleBusyError where it would overlap.
   */
  runNow(name: string): Promise<string>;

  /** Forgets it; its tasks stay. False: there was none. */
  remove(name: string): Promise<boolean>;

  get(name: string): Promise<Schedule | null>;

  /** In the order of their names. */
  list(options?: { namePrefix?: string }): Promise<Schedule[]>;

  /** One pass: fires each schedule that is due. What a Scheduler calls; for tests, and loops of one's own. */
  fireDue(options?: { namePrefix?: string }): Promise<FireReport>;

  /** Calls `listener` when a schedule may be due earlier than it was, by a call in this process. Returns what ends that. */
  onChange(listener: () => void): () => void;
}
