import { describe, expect, it } from 'vitest';
import { expectRaise, useSqlBox } from './sql-box.js';

const box = useSqlBox();

type Row = Record<string, unknown>;

const TOKEN = '00000000-0000-4000-8000-000000000000';
const OWNED: Row = { status_code: 'in-progress', performance_token: TOKEN };

/** For each CHECK of each table, rows that break it and nothing else. */
const BREAKING: Record<string, Record<string, readonly Row[]>> = {
  task: {
    'an id is not empty': [{ id: '' }],
    'an action is not empty': [{ action: '' }],
    'a queue is not empty': [{ queue: '' }],
    'a task may be tried at least once': [{ max_tries: 0 }],
    'durations and delays are not negative': [
      { max_duration: '-1 second' },
      { retry_delay: '-1 second' },
      { retry_max_delay: '-1 second' },
      { retry_factor: 0.5 },
      { retry_jitter: -0.1 },
      { retry_jitter: 1.1 },
      { unique_for: '-1 second' },
    ],
    'signals fit their total, failures and skips fit the signals': [
      { num_signals: 1 },
      { total_dependencies: 1, num_signals: 1, num_failures: 2 },
      { total_dependencies: 1, num_signals: 1, num_failures: 1, num_skipped: 1 },
      { num_failures: -1 },
      { num_skipped: -1 },
    ],
    'a token exists exactly while in progress': [
      { status_code: 'in-progress' },
      { performance_token: TOKEN },
    ],
    'only a task in progress has a deadline': [{ action_deadline: 'now' }],
    "a channel's name has at most 63 bytes": [
      { notify_channel_after: '' },
      { notify_channel_after: 'ü'.repeat(32) },
    ],
    'only a task in progress has a holder': [{ holder: TOKEN }],
    'finished_at is set exactly on terminal tasks': [
      { status_code: 'completed' },
      { status_code: 'aborted' },
      { status_code: 'skipped' },
      { status_code: 'cancelled' },
      { finished_at: 'now' },
      { ...OWNED, finished_at: 'now' },
    ],
    'tries stay within their limit': [{ num_tries: -1 }, { max_tries: 1, num_tries: 2 }],
    'a task in progress has all its signals': [{ ...OWNED, total_dependencies: 1 }],
  },
  limit_key: {
    'a limit is at least 1': [{ key: 'k', max_in_progress: 0 }],
    'a rate is a count and an interval': [
      { key: 'k', rate_count: 1 },
      { key: 'k', rate_interval: '1 second' },
      { key: 'k', rate_count: 0, rate_interval: '1 second' },
      { key: 'k', rate_count: 1, rate_interval: '0' },
    ],
  },
  limit_slot: {
    'slots are for tasks in hand': [
      { key: 'k', holder: TOKEN, slots: 2, in_hand: 1 },
      { key: 'k', holder: TOKEN, slots: -1, in_hand: 0 },
    ],
  },
  pause: {
    'a pause is of a queue, an action or both': [{ queue: '', action: '' }],
  },
  schedule: {
    "a schedule's name is not empty": [{ name: '', rule: '{}', task: '{}', catch_up: '{}' }],
  },
  schema_version: {
    'there is one row': [{ only_row: false, version: 1 }],
  },
  transition: {
    'who ends gives a signal, who begins again takes it back': [
      { event: 'x', from_status: 'pending', to_status: 'completed' },
      { event: 'x', from_status: 'pending', to_status: 'completed', signals: 'taken back' },
      { event: 'x', from_status: 'completed', to_status: 'pending' },
      { event: 'x', from_status: 'completed', to_status: 'pending', signals: 'success' },
      { event: 'x', from_status: 'pending', to_status: 'pending', signals: 'success' },
    ],
  },
};

const cases = Object.entries(BREAKING).flatMap(([table, checks]) =>
  Object.entries(checks).flatMap(([check, rows]) => rows.map((row) => ({ table, check, row }))),
);

function insert(table: string, row: Row) {
  const values = table === 'task' ? { id: 'a', action: 'work', ...row } : row;
  const columns = Object.keys(values);
  const parameters = columns.map((_, i) => `$${i + 1}`);
  return box.rows(
    `insert into ${table} (${columns.join(', ')}) values (${parameters.join(', ')})`,
    Object.values(values),
  );
}

describe('CHECK constraints', () => {
  it('each has a case below', async () => {
    const rows = await box.rows(
      `select c.conrelid::regclass::text as table, c.conname as check from pg_constraint c
       where c.connamespace = $1::regnamespace and c.contype = 'c'`,
      [box.test.schema],
    );
    const expected = Object.entries(BREAKING).flatMap(([table, checks]) =>
      Object.keys(checks).map((check) => `${table}: ${check}`),
    );
    expect(rows.map(({ table, check }) => `${table}: ${check}`).sort()).toEqual(expected.sort());
  });

  it.each(cases)('"$check" refuses $row', async ({ table, check, row }) => {
    const failing = insert(table, row);
    await expectRaise(failing, '23514');
    await expect(failing).rejects.toMatchObject({ constraint: check });
  });

  it('let a task stand in every state that it can be in', async () => {
    const rows: Row[] = [
      {},
      { total_dependencies: 3, num_signals: 2, num_failures: 1, num_skipped: 1 },
      { max_tries: 1, num_tries: 1 },
      { max_duration: '0', retry_delay: '0', retry_max_delay: '0', retry_factor: 1 },
      { retry_jitter: 0 },
      { retry_jitter: 1, unique_for: '0' },
    ];
    for (const [i, row] of rows.entries()) await insert('task', { ...row, id: `p${i}` });
    const held = { action_deadline: 'infinity', num_tries: 1, holder: TOKEN };
    await insert('task', { ...OWNED, ...held, id: 'owned' });
    for (const code of ['completed', 'aborted', 'skipped', 'cancelled']) {
      await insert('task', { id: code, status_code: code, finished_at: 'now' });
    }
    expect(await box.value('select count(*)::integer from task')).toBe(11);
    await box.clear();
  });
});
