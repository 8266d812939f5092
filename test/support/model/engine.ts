import type pg from 'pg';
import type { StatusCode } from '../../../src/index.js';
import { isEnded, placeOf, type Place, type TaskSpec } from './model-task.js';
import type { Answer, Claim, Claimed, Step } from './step.js';
import type { TaskModel } from './task-model.js';

/** The real engine under the model's clock: every verb by SQL, with `p_now`. */
export class Engine {
  readonly #pool: pg.Pool;

  /** `pool`'s search_path is the engine's schema. */
  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async clear(): Promise<void> {
    await this.#pool.query(
      'delete from task; delete from ready; delete from timer; delete from unique_key',
    );
  }

  /** Runs a verb in a transaction of its own and gives its answer. */
  async apply(step: Step, nowMs: number): Promise<Answer> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      const answer = await this.#call(client, step, new Date(nowMs));
      await client.query('commit');
      return answer;
    } catch (error) {
      await client.query('rollback');
      if (isOwnError(error)) return error.code;
      throw error;
    } finally {
      client.release();
    }
  }

  async own(claim: Claim, nowMs: number): Promise<Claimed[]> {
    const { rows } = await this.#pool.query(
      `select id, token, num_tries as "numTries", num_failures as "numFailures", deadline
       from own_tasks($1, $2, $3, $4, $5, p_now => $6)`,
      [
        claim.actorId,
        claim.queues,
        claim.actions,
        claim.maxTasks,
        toInterval(claim.durationMs),
        new Date(nowMs),
      ],
    );
    return rows.map(({ id, token, numTries, numFailures, deadline }) => ({
      id,
      token,
      numTries,
      numFailures,
      deadlineMs: toMs(deadline),
    }));
  }

  /** Does again what sessions that ran together left to one another because of a lock. */
  async catchUp(nowMs: number): Promise<void> {
    await this.#pool.query('select run_timers($1), settle_tasks($1)', [new Date(nowMs)]);
    await this.#pool.query('select settle_tasks($1)', [new Date(nowMs)]);
  }

  /** All tasks, in the order of their ids. */
  async snapshot(): Promise<TaskRecord[]> {
    const { rows } = await this.#pool.query(
      `select t.id, t.status_code, t.num_tries, t.total_dependencies, t.num_signals, t.num_failures,
         t.num_skipped, t.due_at, t.performance_token, t.action_deadline, t.status, r.action as lane
       from task t left join ready r on r.id = t.id
       order by t.id`,
    );
    return rows.map((row) => ({
      id: row.id,
      statusCode: row.status_code,
      place: actualPlace(row),
      numTries: row.num_tries,
      signals: `${row.num_signals} of ${row.total_dependencies}: ${row.num_failures} failed, ${row.num_skipped} skipped`,
      dueMs: actualPlace(row) === 'timer' ? toMs(row.due_at) : null,
      token: row.performance_token,
      deadlineMs: toMs(row.action_deadline),
      status: shortStatus(row.status),
    }));
  }

  async #call(client: pg.ClientBase, step: Step, now: Date): Promise<Answer> {
    const rowsOf = async (text: string, values: unknown[]): Promise<(string | null)[][]> => {
      const { rows } = await client.query({ text, values, rowMode: 'array' });
      return rows;
    };
    const count = async (text: string, values: unknown[]): Promise<Answer> => {
      const [row] = await rowsOf(text, values);
      return row?.[0] ?? null;
    };
    switch (step.verb) {
      case 'insert':
        await insert(client, step.tasks, now);
        return null;
      case 'return':
        return (
          await rowsOf('select id, status_code from return_tasks($1, $2, $3, $4, null, $5, $6)', [
            step.returns.map(({ id }) => id),
            step.returns.map(({ token }) => token),
            step.returns.map(({ code }) => code),
            step.returns.map(({ code }) => `returned as ${code}`),
            step.returns.map(({ startAfterMs }) => toDate(startAfterMs)),
            now,
          ])
        ).sort();
      case 'extend':
        return (
          await rowsOf('select extend_task_deadlines($1, $2, $3, $4)', [
            step.held.map(({ id }) => id),
            step.held.map(({ token }) => token),
            toInterval(step.durationMs),
            now,
          ])
        ).sort();
      case 'timers':
        // What was delayed and is the engine's goes to its lane, which the next own_tasks settles.
        await rowsOf('select run_timers($1), settle_tasks($1)', [now]);
        await rowsOf('select settle_tasks($1)', [now]);
        return null;
      case 'cancel':
        return count(`select cancel_tasks($1, 'not wanted', $2, $3)`, [
          step.ids,
          step.downstream,
          now,
        ]);
      case 'signal':
        return count('select signal_tasks($1, $2, $3)', [step.ids, step.failed, now]);
      case 'rerun':
        return count('select rerun_tasks($1, $2, $3, $4)', [
          step.ids,
          step.downstream,
          toDate(step.startAfterMs),
          now,
        ]);
      case 'delete':
        return count('select delete_tasks($1)', [step.ids]);
    }
  }
}

/** A task as model and engine both tell it. */
export interface TaskRecord {
  readonly id: string;
  readonly statusCode: StatusCode;
  readonly place: Place;
  readonly numTries: number;
  readonly signals: string;
  /** Of those in a timer. */
  readonly dueMs: number | null;
  readonly token: string | null;
  readonly deadlineMs: number | null;
  readonly status: string | null;
}

/** All tasks of a model, in the order of their ids. */
export function recordsOf(model: TaskModel): TaskRecord[] {
  const records = [...model.tasks.values()].map((task) => ({
    id: task.spec.id,
    statusCode: task.statusCode,
    place: placeOf(task),
    numTries: task.numTries,
    signals: `${task.numSignals} of ${task.total}: ${task.numFailures} failed, ${task.numSkipped} skipped`,
    dueMs: placeOf(task) === 'timer' ? task.dueMs : null,
    token: task.token,
    deadlineMs: task.deadlineMs,
    status: isEnded(task) || task.statusCode === 'pending' ? task.status : null,
  }));
  return records.sort((a, b) => (a.id < b.id ? -1 : 1));
}
