import pg from 'pg';
import { insertBySql } from './insert-by-sql.js';
import { actualRecords, type TaskRecord } from './records.js';
import type { Answer, Claim, Claimed, ReturnSpec, Step, UpdateSpec } from './step.js';
import { toDate, toInterval, toMs } from './times.js';

/** The real engine under the model's clock: every verb by SQL, with `p_now`. */
export class Engine {
  readonly #pool: pg.Pool;
  readonly #catchesUpFirst: boolean;

  /**
   * `pool`'s search_path is the engine's schema. `catchesUpFirst`: a claim finds all that its timers have brought about, where
   * their signals would be given only by the next.
   */
  constructor(pool: pg.Pool, { catchesUpFirst = false } = {}) {
    this.#pool = pool;
    this.#catchesUpFirst = catchesUpFirst;
  }

  async clear(): Promise<void> {
    await this.#pool.query(
      `delete from task; delete from ready; delete from timer; delete from unique_key;
       delete from outgoing_signal; delete from limit_slot; delete from keyed_lane; delete from attempt`,
    );
  }

  /** Runs a verb in a transaction of its own and gives its answer. */
  async apply(step: Step, nowMs: number): Promise<Answer> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      const answer = await call(client, step, new Date(nowMs));
      await client.query('commit');
      await this.#giveSignals(nowMs);
      return answer;
    } catch (error) {
      await client.query('rollback');
      const state = ownState(error);
      if (state === undefined) throw error;
      return state;
    } finally {
      client.release();
    }
  }

  async own(claim: Claim, nowMs: number): Promise<Claimed[]> {
    if (this.#catchesUpFirst) await this.catchUp(nowMs);
    const { rows } = await this.#pool.query(
      `select id, token, num_tries as "numTries", num_failures as "numFailures", deadline,
         is_begun as "isBegun"
       from own_tasks($1, $2, $3, $4, $5, p_now => $6, p_num_begun => $7)`,
      [
        claim.actorId,
        claim.queues,
        claim.actions,
        claim.maxTasks,
        toInterval(claim.durationMs),
        new Date(nowMs),
        claim.numBegun,
      ],
    );
    return rows.map(({ id, token, numTries, numFailures, deadline, isBegun }) => ({
      id,
      token,
      numTries,
      numFailures,
      deadlineMs: toMs(deadline),
      isBegun,
    }));
  }

  /** Does again what sessions that ran together left to one another because of a lock. */
  async catchUp(nowMs: number): Promise<void> {
    await this.#giveSignals(nowMs);
    await this.#pool.query('select run_timers($1), settle_tasks($1)', [new Date(nowMs)]);
    await this.#pool.query('select settle_tasks($1)', [new Date(nowMs)]);
    await this.#giveSignals(nowMs);
  }

  /** The model knows of no signals on their way: it sees the engine once all are given. */
  async #giveSignals(nowMs: number): Promise<void> {
    const now = new Date(nowMs);
    let count = 1;
    while (count > 0) {
      try {
        const { rows } = await this.#pool.query('select give_signals($1) as count', [now]);
        count = rows[0].count;
        await this.#pool.query('select settle_tasks($1)', [now]);
      } catch (error) {
        // A rerun at the same moment gives the same part. The verb itself is committed, and must not be run again.
        if (!(error instanceof pg.DatabaseError && error.code === '40P01')) throw error;
      }
    }
  }

  /** All tasks, in the order of their ids. */
  records(): Promise<TaskRecord[]> {
    return actualRecords(this.#pool);
  }
}

type Rows = (text: string, values: unknown[]) => Promise<(string | null)[][]>;

async function call(client: pg.ClientBase, step: Step, now: Date): Promise<Answer> {
  const rows: Rows = async (text, values) => {
    const result = await client.query<(string | null)[]>({ text, values, rowMode: 'array' });
    return result.rows;
  };
  switch (step.verb) {
    case 'insert':
      await insertBySql(client, step.tasks, now);
      return null;
    case 'return':
      return returnTasks(rows, step.returns, now);
    case 'timers':
      // What was delayed and is the engine's goes to its lane, which the next own_tasks would settle.
      await rows('select run_timers($1), settle_tasks($1)', [now]);
      await rows('select settle_tasks($1)', [now]);
      return null;
    case 'begin': {
      const { held } = step;
      const ids = held.map(({ id }) => id);
      const tokens = held.map(({ token }) => token);
      return (await rows('select begin_tasks($1, $2, $3)', [ids, tokens, now])).sort();
    }
    case 'update':
      await updateTasks(rows, step.updates, now);
      return null;
    case 'extend': {
      const { held, durationMs } = step;
      const extended = await rows('select extend_task_deadlines($1, $2, $3, $4)', [
        held.map(({ id }) => id),
        held.map(({ token }) => token),
        held.map(() => toInterval(durationMs)),
        now,
      ]);
      return extended.sort();
    }
    default:
      return (await rows(...countingCall(step, now)))[0]?.[0] ?? null;
  }
}

async function returnTasks(rows: Rows, returns: readonly ReturnSpec[], now: Date): Promise<Answer> {
  const otherwise = await rows(
    'select id, status_code from return_tasks($1, $2, $3, $4, null, $5, $6, null, $7, $8)',
    [
      returns.map(({ id }) => id),
      returns.map(({ token }) => token),
      returns.map(({ code }) => code),
      returns.map(({ code }) => `returned as ${code}`),
      returns.map(({ startAfterMs }) => toDate(startAfterMs)),
      now,
      returns.map(({ retryDelayMs }) => toInterval(retryDelayMs)),
      returns.map(({ isDeleted }) => isDeleted),
    ],
  );
  return otherwise.sort();
}

async function updateTasks(rows: Rows, updates: readonly UpdateSpec[], now: Date): Promise<void> {
  await rows('select update_tasks($1, array_fill(null::jsonb, $2), null, $3, $4, $5, $6)', [
    updates.map(({ id }) => id),
    [updates.length],
    updates.map(({ priority }) => priority),
    updates.map(({ startAfterMs }) => toDate(startAfterMs ?? null)),
    updates.map(({ startAfterMs }) => startAfterMs !== undefined),
    now,
  ]);
}

/** The verbs that answer with a count. */
function countingCall(
  step: Step & { verb: 'cancel' | 'signal' | 'rerun' | 'delete' },
  now: Date,
): [string, unknown[]] {
  switch (step.verb) {
    case 'cancel':
      return [`select cancel_tasks($1, 'not wanted', $2, $3)`, [step.ids, step.downstream, now]];
    case 'signal':
      return ['select signal_tasks($1, $2, $3)', [step.ids, step.failed, now]];
    case 'rerun':
      return [
        'select rerun_tasks($1, $2, $3, $4)',
        [step.ids, step.downstream, toDate(step.startAfterMs), now],
      ];
    case 'delete':
      return ['select delete_tasks($1, $2, $3)', [step.ids, step.sparesOwned, now]];
  }
}

/** An error that the engine's functions raise on purpose: SB002 and so on. */
function ownState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError && error.code?.startsWith('SB') ? error.code : undefined;
}
