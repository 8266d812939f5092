import type { EventEmitter } from 'node:events';
import type { Logger } from '../logger.js';
import type { OwnedTask } from '../store/task-store.js';
import type { ReturnedOutcome } from './actor.js';

/** What a manager did when the database failed it. */
export type ManagerCall = 'own' | 'begin' | 'extend' | 'report' | 'return';

/** What a manager tells of itself, for metrics. Durations in milliseconds. */
export interface ManagerEvents {
  /** A claim came back. `durationMs`: from asking. */
  owned: [{ actorId: string; count: number; asked: number; durationMs: number }];
  /** A handler is about to be called. `waitedMs`: since the task was asked for. */
  started: [{ task: OwnedTask; waitedMs: number }];
  /** A try's return is committed. `durationMs`: of the handler; 0 if none was called. */
  returned: [{ task: OwnedTask; outcome: ReturnedOutcome; durationMs: number }];
  /** A failed try's return is committed, and another try will follow; a retry policy of the task's own goes before `delayMs`. */
  retried: [{ task: OwnedTask; delayMs: number; error: unknown }];
  /** A task is not ours any more, and nothing is returned. */
  lost: [{ task: OwnedTask; reason: unknown }];
  /** A statement of returns was carried out. */
  batch: [{ size: number; durationMs: number }];
  /** A task whose action no actor here knows was owned; it is handed back. */
  unknownAction: [{ task: OwnedTask }];
  /** A call of the database failed, with so many tasks; it is made again, but not of a box that was closed. */
  error: [{ error: unknown; call: ManagerCall; numTasks: number }];
}

const FAILED: Readonly<Record<ManagerCall, string>> = Object.freeze({
  own: 'owning tasks failed',
  begin: 'beginning tasks failed',
  extend: 'extending leases failed',
  report: 'reporting progress failed',
  return: 'returning tasks failed',
});

/** Tells listeners and the log. A listener that throws harms nobody. */
export class Notices {
  readonly logger: Logger;
  readonly #emitter: EventEmitter<ManagerEvents>;

  constructor(emitter: EventEmitter<ManagerEvents>, logger: Logger) {
    this.#emitter = emitter;
    this.logger = logger;
  }

  /** Somebody listens. Ask before making a notice for each task. */
  has(event: keyof ManagerEvents): boolean {
    return this.#emitter.listenerCount(event) > 0;
  }

  /** Does nothing when nobody listens; for `error`, too, which else would be thrown. */
  emit<E extends keyof ManagerEvents>(event: E, notice: ManagerEvents[E][0]): void {
    const args: unknown[] = [notice];
    for (const listener of this.#emitter.rawListeners(event)) {
      try {
        Reflect.apply(listener, this.#emitter, args);
      } catch (err) {
        this.logger.error({ err, event }, 'a listener threw');
      }
    }
  }

  failed(call: ManagerCall, error: unknown, numTasks: number): void {
    this.logger.warn({ err: error, tasks: numTasks }, FAILED[call]);
    this.emit('error', { error, call, numTasks });
  }
}
