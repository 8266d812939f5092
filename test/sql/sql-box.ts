import pg from 'pg';
import { afterEach, beforeEach, expect } from 'vitest';
import { insertBySql } from '../support/model/insert-by-sql.js';
import type { TaskSpec } from '../support/model/model-task.js';
import { type TestBox, useTestBox } from '../support/test-box.js';

/** Tests say what time it is: they pass this, or a time some seconds after it, as p_now. */
export const NOW = at(0);

export function at(seconds: number): Date {
  return new Date(Date.UTC(2030, 0, 1) + seconds * 1_000);
}

/** An ownership. */
export interface Held {
  readonly id: string;
  readonly token: string;
}

/** What a listener has heard: channel and payload. */
export type Heard = readonly [string, string][];

interface OwnOptions {
  readonly actions?: readonly string[];
  readonly maxTasks?: number;
  readonly duration?: string;
  readonly now?: Date;
}

interface OwnMoreOptions extends OwnOptions {
  readonly numBegun?: number;
  readonly holder?: string;
  readonly maxSlots?: number;
  readonly tasksPerSlot?: number;
  readonly oldestFirst?: boolean;
}

/** An ownership, and what its limit key allows. */
export interface OwnedMore extends Held {
  readonly isBegun: boolean;
  readonly limitKey: string | null;
  readonly slots: number | null;
  readonly version: string | null;
}

/** A test box for SQL by hand, its tables empty before each test. */
export class SqlBox {
  readonly test: TestBox;
  readonly #sessions: pg.Client[] = [];

  constructor(test: TestBox) {
    this.test = test;
  }

  /** The rows of a statement, as objects. */
  async rows(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const { rows } = await this.test.pool.query(text, values);
    return rows;
  }

  /** The values of a statement's only column. */
  async values(text: string, values: unknown[] = []): Promise<unknown[]> {
    return (await this.rows(text, values)).flatMap((row) => Object.values(row));
  }

  /** The one value of a statement. */
  async value(text: string, values: unknown[] = []): Promise<unknown> {
    const [value, ...others] = await this.values(text, values);
    if (others.length > 0) throw new Error(`${text} gave more than one value`);
    return value;
  }

  /** Inserts tasks as a client does, at NOW. */
  async insert(...specs: readonly TaskSpec[]): Promise<void> {
    const session = await this.session();
    await session.query('begin');
    await insertBySql(session, specs, NOW);
    await session.query('commit');
  }

  /** Owns tasks of an action, `work` by default, all there are by default, for ever by default. */
  async own(options: OwnOptions = {}): Promise<Held[]> {
    const { actions = ['work'], maxTasks = 1_000, duration = null, now = NOW } = options;
    const { rows } = await this.test.pool.query<Held>(
      'select id, token from own_tasks($1, $2, $3, $4, $5, p_now => $6)',
      ['me', actions.map(() => 'default'), actions, maxTasks, duration, now],
    );
    return rows;
  }

  /** The same with what managers of many tasks ask for. */
  async ownMore(options: OwnMoreOptions = {}): Promise<OwnedMore[]> {
    const { actions = ['work'], maxTasks = 1_000, duration = null, now = NOW } = options;
    const { rows } = await this.test.pool.query<OwnedMore>(
      `select id, token, is_begun as "isBegun", limit_key as "limitKey", slots, slots_version as version
       from own_tasks('me', $1, $2, $3, $4, p_now => $5, p_num_begun => $6, p_holder => $7,
         p_max_slots => $8, p_tasks_per_slot => $9, p_is_oldest_first => $10)`,
      [
        actions.map(() => 'default'),
        actions,
        maxTasks,
        duration,
        now,
        options.numBegun ?? null,
        options.holder ?? null,
        options.maxSlots ?? null,
        options.tasksPerSlot ?? null,
        options.oldestFirst ?? false,
      ],
    );
    return rows;
  }

  /** Sets the limits of a key; null: none. */
  async limit(
    key: string,
    maxInProgress: number | null,
    rate: { count: number; interval: string } | null = null,
    now = NOW,
  ): Promise<void> {
    await this.rows('select set_limits($1, $2, $3, $4, $5)', [
      [key],
      [maxInProgress],
      [rate?.count ?? null],
      [rate?.interval ?? null],
      now,
    ]);
  }

  /** Returns tasks, all with one code; the rows of return_tasks. */
  giveBack(held: readonly Held[], code = 'completed', now = NOW) {
    return this.rows('select * from return_tasks($1, $2, $3, p_now => $4)', [
      held.map(({ id }) => id),
      held.map(({ token }) => token),
      held.map(() => code),
      now,
    ]);
  }

  /** Makes tasks in progress ones that were owned ahead and have not begun. */
  async ahead(...ids: readonly string[]): Promise<void> {
    await this.rows('update task set started_at = null where id = any ($1)', [ids]);
  }

  /** What is kept of a task's tries that failed, the oldest first. */
  attempts(id: string, columns = 'num_try, outcome, status, error'): Promise<unknown[]> {
    return this.rows(`select ${columns} from list_attempts($1)`, [id]);
  }

  /** The status codes of tasks, by id. */
  async statuses(): Promise<Record<string, unknown>> {
    const rows = await this.rows('select id, status_code from task');
    return Object.fromEntries(rows.map(({ id, status_code }) => [String(id), status_code]));
  }

  /** The ids in ready, in the order in which they would be claimed within their lanes. */
  ready(): Promise<unknown[]> {
    return this.values('select id from ready order by queue, action, priority desc, seq');
  }

  /** Some columns of one task. */
  async task(id: string, columns: string): Promise<Record<string, unknown> | undefined> {
    const [row] = await this.rows(`select ${columns} from task where id = $1`, [id]);
    return row;
  }

  /** A connection of its own, until the end of the test. */
  async session(): Promise<pg.Client> {
    const session = new pg.Client({
      connectionString: this.test.connectionString,
      options: `-c search_path=${this.test.schema} -c jit=off`,
    });
    this.#sessions.push(session);
    await session.connect();
    return session;
  }

  /** A session with an open transaction in which it has run a statement. */
  async sessionThat(text: string, values: unknown[] = []): Promise<pg.Client> {
    const session = await this.session();
    await session.query('begin');
    await session.query(text, values);
    return session;
  }

  /** Resolves when another session waits for a lock that this one holds. */
  async untilSomebodyWaitsFor(session: pg.Client): Promise<void> {
    const pid = (await session.query('select pg_backend_pid() as pid')).rows[0]?.pid;
    const count =
      'select count(*)::integer from pg_stat_activity where $1 = any (pg_blocking_pids(pid))';
    while ((await this.value(count, [pid])) === 0);
  }

  /** What is heard on channels while `work` runs. Notifications come in the order of their commits. */
  async heard(channels: readonly string[], work: () => Promise<unknown>): Promise<Heard> {
    const listener = await this.session();
    const heard: [string, string][] = [];
    const end = new Promise<void>((resolve) => {
      listener.on('notification', ({ channel, payload = '' }) => {
        if (channel === 'the end') resolve();
        else heard.push([channel, payload]);
      });
    });
    for (const channel of [...channels, 'the end']) {
      await listener.query(`listen ${pg.escapeIdentifier(channel)}`);
    }
    await work();
    await this.test.pool.query(`notify "the end"`);
    await end;
    return heard;
  }

  async clear(): Promise<void> {
    await this.test.pool.query(`truncate task, ready, timer, outgoing_signal, unique_key, attempt, sleeper, keyed_lane, limit_key, limit_slot,
         pause`);
  }

  /** Ends the test's sessions, and with them what they have not committed. */
  async endSessions(): Promise<void> {
    await Promise.all(this.#sessions.splice(0).map((session) => session.end()));
  }
}

/** Call at the top of a test file. In a database of its own: channels are a database's, and other files name theirs the same. */
export function useSqlBox(): SqlBox {
  const box = new SqlBox(useTestBox({}, { ownDatabase: true }));
  beforeEach(() => box.clear());
  afterEach(() => box.endSessions());
  return box;
}

/** A task of action `work` that nothing is peculiar about. */
export function spec(id: string, more: Partial<TaskSpec> = {}): TaskSpec {
  return {
    id,
    action: 'work',
    queue: 'default',
    priority: 0,
    runWhen: 'all_done',
    targets: [],
    givenTotal: null,
    startAfterMs: null,
    maxTries: null,
    retryDelayMs: null,
    retryFactor: null,
    retryMaxDelayMs: null,
    maxDurationMs: null,
    uniqueKey: null,
    ...more,
  };
}

/** Expects a statement to fail with an SQLSTATE and, where given, that DETAIL, read as JSON. */
export async function expectRaise(
  promise: Promise<unknown>,
  code: string,
  detail?: unknown,
): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(pg.DatabaseError);
  if (!(error instanceof pg.DatabaseError)) return;
  expect(error).toMatchObject({ code });
  if (detail !== undefined) expect(JSON.parse(error.detail ?? 'null')).toEqual(detail);
}
