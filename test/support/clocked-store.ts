import type { TaskReturnOutcome, TaskStore } from '../../src/index.js';
import type { TestBox } from './test-box.js';

/** An ownership as `own_tasks` gives it, its id without the prefix, its deadline in milliseconds of the clock. */
export interface ClockedTask {
  readonly id: string;
  readonly token: string;
  readonly numFailures: number;
  readonly numTries: number;
  readonly deadlineMs: number | null;
}

interface ClockedOwn {
  actorId?: string;
  action?: string;
  maxTasks?: number;
  maxDurationMs?: number;
}

/**
 * A namespace whose time is what the test says: each verb is called by SQL with `p_now`, at so many
 * milliseconds after the start. A test never sleeps.
 */
export interface ClockedStore {
  readonly store: TaskStore;
  readonly prefix: string;
  /** The start, to which `atMs` is added. */
  readonly start: Date;
  own(atMs: number, request?: ClockedOwn): Promise<ClockedTask[]>;
  /** The id and what it became instead of what was asked; nothing if all became what was asked. */
  giveBack(
    atMs: number,
    tasks: readonly Pick<ClockedTask, 'id' | 'token'>[],
    outcome: Pick<TaskReturnOutcome, 'statusCode' | 'status' | 'startAfter' | 'retryDelayMs'>,
  ): Promise<{ id: string; statusCode: string | null }[]>;
  /** The ids that are still held. */
  extend(
    atMs: number,
    tasks: readonly Pick<ClockedTask, 'id' | 'token'>[],
    maxDurationMs: number,
  ): Promise<string[]>;
  runTimers(atMs: number): Promise<void>;
}

let count = 0;

export function clockedStore(t: TestBox): ClockedStore {
  const prefix = `clocked${++count}.`;
  const start = new Date();
  const at = (ms: number) => new Date(start.getTime() + ms);
  const strip = (id: string) => id.slice(prefix.length);
  const named = (tasks: readonly { id: string; token: string }[]) => [
    tasks.map(({ id }) => prefix + id),
    tasks.map(({ token }) => token),
  ];
  return {
    store: t.box.withPrefix(prefix.slice(0, -1)),
    prefix,
    start,
    async own(atMs, { actorId = 'me', action = 'work', maxTasks = 1000, maxDurationMs } = {}) {
      const { rows } = await t.pool.query(
        `select id, token, num_failures, num_tries, extract(epoch from deadline) * 1000 as deadline
         from own_tasks($1, array['default'], array[$2], $3, $4, p_now => $5)`,
        [
          actorId,
          prefix + action,
          maxTasks,
          maxDurationMs === undefined ? null : `${maxDurationMs} milliseconds`,
          at(atMs),
        ],
      );
      return rows.map((row) => ({
        id: strip(row.id),
        token: row.token,
        numFailures: row.num_failures,
        numTries: row.num_tries,
        deadlineMs: row.deadline === null ? null : Number(row.deadline) - start.getTime(),
      }));
    },
    async giveBack(atMs, tasks, { statusCode, status, startAfter, retryDelayMs }) {
      const { rows } = await t.pool.query(
        'select id, status_code from return_tasks($1, $2, $3, $4, null, $5, $6, null, $7)',
        [
          ...named(tasks),
          tasks.map(() => statusCode),
          tasks.map(() => status ?? null),
          tasks.map(() => startAfter ?? null),
          at(atMs),
          tasks.map(() => (retryDelayMs === undefined ? null : `${retryDelayMs} milliseconds`)),
        ],
      );
      return rows.map((row) => ({ id: strip(row.id), statusCode: row.status_code }));
    },
    async extend(atMs, tasks, maxDurationMs) {
      const { rows } = await t.pool.query('select extend_task_deadlines($1, $2, $3, $4) as id', [
        ...named(tasks),
        tasks.map(() => `${maxDurationMs} milliseconds`),
        at(atMs),
      ]);
      return rows.map((row) => strip(row.id));
    },
    async runTimers(atMs) {
      await t.pool.query('select run_timers($1), settle_tasks($1)', [at(atMs)]);
    },
  };
}
