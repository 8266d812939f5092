import { describe, expect, it } from 'vitest';
import { NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

/** Inserts tasks with these ids, owns them, has them watched on a channel, and returns them. */
async function endWatched(ids: readonly string[], ...channels: string[]): Promise<void> {
  await box.insert(...ids.map((id) => spec(id)));
  for (const channel of channels) {
    await box.rows('select count(*) from watch_tasks($1, $2)', [ids, channel]);
  }
  await box.giveBack(await box.own({ maxTasks: ids.length }));
}

describe('announce_ended', () => {
  it('sends one notification a channel with as many ids as fit 8,000 bytes', async () => {
    const ids = Array.from({ length: 2_000 }, (_, i) => `task ${i} `.padEnd(60, '-'));
    const heard = await box.heard(['one', 'two'], () => endWatched(ids, 'one', 'two'));
    for (const channel of ['one', 'two']) {
      const payloads = heard.filter(([own]) => own === channel).map(([, payload]) => payload);
      // 62 bytes with its quotes, and a comma: 125 of them to a notification.
      expect(payloads.map((payload) => JSON.parse(payload).length)).toEqual(Array(16).fill(125));
      for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
      const told = payloads.flatMap((payload) => JSON.parse(payload));
      expect(told.sort()).toEqual([...ids].sort());
    }
  });

  it('notifies nobody of tasks that nobody watches', async () => {
    const heard = await box.heard(['one'], async () => {
      await endWatched(['a', 'b']);
      await endWatched(['c'], 'another');
    });
    expect(heard).toEqual([]);
  });

  it('sends ids that need escapes as JSON', async () => {
    const ids = ['"quoted"', 'back\\slash', 'line\nfeed', 'ümläut 🙂'];
    const [[, payload] = ['', '']] = await box.heard(['one'], () => endWatched(ids, 'one'));
    expect(JSON.parse(payload).sort()).toEqual([...ids].sort());
  });

  it('sends an id that just fits alone, and an empty list for one that does not', async () => {
    const fits = 'x'.repeat(7_898);
    const heard = await box.heard(['one'], () => endWatched(['a', fits, `${fits}x`], 'one'));
    const lists = heard.map(([, payload]) => JSON.parse(payload));
    expect(lists).toHaveLength(3);
    expect(lists).toEqual(expect.arrayContaining([['a'], [fits], []]));
  });

  it('tells the watchers of deleted tasks, too', async () => {
    const heard = await box.heard(['one'], async () => {
      await box.insert(spec('a'));
      await box.rows(`select watch_tasks('{a}', 'one')`);
      await box.rows(`select delete_tasks('{a}')`);
    });
    expect(heard).toEqual([['one', '["a"]']]);
  });

  it('sends nothing when the transaction that ends the tasks is rolled back', async () => {
    const heard = await box.heard(['one'], async () => {
      await box.insert(spec('a'));
      await box.rows(`select watch_tasks('{a}', 'one')`);
      const session = await box.sessionThat(`select cancel_tasks('{a}')`);
      await session.query('rollback');
    });
    expect(heard).toEqual([]);
  });

  it('frees the unique key', async () => {
    await box.insert(spec('a', { uniqueKey: 'key' }));
    expect(await box.values('select key from unique_key')).toEqual(['key']);
    await box.giveBack(await box.own());
    expect(await box.values('select key from unique_key')).toEqual([]);
  });
});

describe('notify_channel_after', () => {
  async function end(id: string, code: string, status: string | null): Promise<void> {
    await box.insert(spec(id));
    await box.rows(`update task set notify_channel_after = 'ended' where id = $1`, [id]);
    const [held] = await box.own();
    await box.rows('select return_tasks(array[$1], array[$2::uuid], array[$3::status_code], $4)', [
      held?.id,
      held?.token,
      code,
      [status],
    ]);
  }

  it('is told id, statusCode and status as JSON', async () => {
    const [[, payload] = ['', '']] = await box.heard(['ended'], () => end('a', 'aborted', 'broke'));
    expect(JSON.parse(payload)).toEqual({ id: 'a', statusCode: 'aborted', status: 'broke' });
  });

  it('is not told of a retry', async () => {
    expect(await box.heard(['ended'], () => end('a', 'pending', null))).toEqual([]);
  });

  it('is told the first 1,000 characters of a long status', async () => {
    const [[, payload] = ['', '']] = await box.heard(['ended'], () =>
      end('a', 'completed', 'ü'.repeat(5_000)),
    );
    expect(JSON.parse(payload).status).toBe('ü'.repeat(1_000));
  });

  it('is told no status where the notification would be too long, rather than the return fail', async () => {
    const id = 'x'.repeat(2_048);
    const [[, payload] = ['', '']] = await box.heard(['ended'], () =>
      end(id, 'completed', '\u0001'.repeat(1_000)),
    );
    expect(JSON.parse(payload)).toEqual({ id, statusCode: 'completed', status: null });
  });

  it('is told no id where even that would be too long', async () => {
    const [[, payload] = ['', '']] = await box.heard(['ended'], () =>
      end('\u0001'.repeat(2_048), 'completed', 'fine'),
    );
    expect(JSON.parse(payload)).toEqual({ id: null, statusCode: 'completed', status: null });
  });
});

describe('signal_targets', () => {
  it('takes no more signals than a total that was given, failures first', async () => {
    await box.insert(
      spec('a', { targets: ['t'] }),
      spec('b', { targets: ['t'] }),
      spec('c', { targets: ['t'] }),
      spec('t', { action: 'later', givenTotal: 2 }),
    );
    const held = await box.own();
    await box.rows('select return_tasks($1, $2, $3, p_now => $4)', [
      held.map(({ id }) => id),
      held.map(({ token }) => token),
      ['completed', 'completed', 'aborted'],
      NOW,
    ]);
    expect(await box.task('t', 'num_signals, num_failures')).toEqual({
      num_signals: 2,
      num_failures: 1,
    });
    expect(await box.ready()).toEqual(['t']);
  });

  it('goes on counting for a task cancelled while it waited, which stays cancelled', async () => {
    await box.insert(spec('a', { targets: ['t'] }), spec('t'));
    await box.rows(`select cancel_tasks('{t}')`);
    await box.giveBack(await box.own());
    expect(await box.task('t', 'status_code, num_signals')).toEqual({
      status_code: 'cancelled',
      num_signals: 1,
    });
    expect(await box.ready()).toEqual([]);
  });

  it('keeps a task whose start time is ahead in a timer when its last signal comes', async () => {
    await box.insert(
      spec('a', { targets: ['t'] }),
      spec('t', { startAfterMs: NOW.getTime() + 5_000 }),
    );
    await box.giveBack(await box.own());
    expect(await box.ready()).toEqual([]);
    expect(await box.values('select ids from timer')).toEqual([['t']]);
  });
});

describe('may_run', () => {
  const cases = [
    // signals, failures, skipped: all_done, all_succeeded, any_failed, any_succeeded
    [
      [0, 0, 0],
      [true, true, false, false],
    ],
    [
      [2, 0, 0],
      [true, true, false, true],
    ],
    [
      [2, 1, 0],
      [true, false, true, true],
    ],
    [
      [2, 2, 0],
      [true, false, true, false],
    ],
    [
      [2, 0, 1],
      [true, false, false, true],
    ],
    [
      [2, 0, 2],
      [true, false, false, false],
    ],
    [
      [2, 1, 1],
      [true, false, true, false],
    ],
    [
      [3, 1, 1],
      [true, false, true, true],
    ],
  ] as const;

  it.each(cases)('of %j (signals, failures, skips) says %j', async (counts, expected) => {
    const answers = await box.values(
      `select may_run(w, $1, $2, $3) from unnest(enum_range(null::run_when)) with ordinality as e (w, n)
       order by n`,
      [...counts],
    );
    expect(answers).toEqual(expected);
  });
});
