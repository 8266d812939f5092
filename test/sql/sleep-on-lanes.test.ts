import { describe, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

/** A worker that listens on `channel` leaves word that it sleeps on lanes of the default queue. */
async function sleep(channel: string, actions: readonly string[], until = at(60)): Promise<void> {
  await box.rows('select sleep_on_lanes($1, $2, $3, $4)', [
    channel,
    actions.map(() => 'default'),
    actions,
    until,
  ]);
}

function sleepers(): Promise<unknown[]> {
  return box.values(`select channel || ' ' || action from sleeper order by 1`);
}

const CHANNELS = ['one', 'two', 'three'];

describe('sleep_on_lanes', () => {
  it('keeps a row for each lane, and moves the time of those that are there', async () => {
    await sleep('one', ['a', 'b', 'a']);
    await sleep('one', ['b', 'c'], at(90));
    expect(
      await box.rows('select channel, queue, action, until from sleeper order by action'),
    ).toEqual([
      { channel: 'one', queue: 'default', action: 'a', until: at(60) },
      { channel: 'one', queue: 'default', action: 'b', until: at(90) },
      { channel: 'one', queue: 'default', action: 'c', until: at(90) },
    ]);
    await box.clear();
  });

  it('says what is ready to one whose word stands on every lane, and only to that one', async () => {
    const say = () =>
      box.rows('select * from sleep_on_lanes($1, $2, $3, $4)', ['one', ['default'], ['a'], at(60)]);
    expect(await say()).toEqual([{ is_standing: false, ready_at: null }]);
    expect(await say()).toEqual([{ is_standing: true, ready_at: null }]);
    await box.insert(spec('ready', { action: 'a' }));
    // Woken, its word is gone.
    expect(await say()).toEqual([{ is_standing: false, ready_at: null }]);
    expect(await say()).toEqual([{ is_standing: true, ready_at: expect.any(Date) }]);
    await box.clear();
  });

  // A made a task ready and took the word, uncommitted; B says that it sleeps, and waits; A commits. B's word is not
  // the one that A took: had B been told that it stood, it would sleep while the task is ready.
  it('is not standing when somebody was taking it', async () => {
    await sleep('one', ['a']);
    await box.insert(spec('b', { targets: ['c'] }), spec('c', { action: 'a' }));
    const [held] = await box.own();
    const a = await box.sessionThat(
      `select return_tasks(array[$1], array[$2::uuid], '{completed}', p_now => $3)`,
      [held?.id, held?.token, NOW],
    );
    const word = box.value('select is_standing from sleep_on_lanes($1, $2, $3, $4)', [
      'one',
      ['default'],
      ['a'],
      at(60),
    ]);
    await box.untilSomebodyWaitsFor(a);
    await a.query('commit');
    expect(await word).toBe(false);
    await box.clear();
  });
});

describe('wake_sleepers', () => {
  it('wakes those whose lane got work, and no others, once', async () => {
    const heard = await box.heard(CHANNELS, async () => {
      await sleep('one', ['work']);
      await sleep('two', ['other']);
      await box.insert(spec('a'));
      await box.insert(spec('b'));
    });
    expect(heard).toEqual([['one', 'ready']]);
    expect(await sleepers()).toEqual(['two other']);
  });

  it('wakes at most as many as there are new tasks', async () => {
    const heard = await box.heard(CHANNELS, async () => {
      for (const channel of CHANNELS) await sleep(channel, ['work']);
      await box.insert(spec('a'), spec('b'));
    });
    expect(heard).toHaveLength(2);
    expect(new Set(heard.map(([channel]) => channel)).size).toBe(2);
    expect(await sleepers()).toHaveLength(1);
  });

  it('removes those whose time is up and does not wake them', async () => {
    const heard = await box.heard(CHANNELS, async () => {
      await sleep('one', ['work'], at(-1));
      await sleep('two', ['other'], at(-1));
      await sleep('three', ['other']);
      await box.insert(spec('a'));
    });
    expect(heard).toEqual([]);
    expect(await sleepers()).toEqual(['three other']);
  });

  it('wakes a process once that sleeps on several lanes which got work', async () => {
    const heard = await box.heard(CHANNELS, async () => {
      await sleep('one', ['work', 'other']);
      await box.insert(spec('a'), spec('b', { action: 'other' }));
    });
    expect(heard).toEqual([['one', 'ready']]);
  });

  it.each([
    ['a retry', 'pending', 'work'],
    ['a signal', 'completed', 'next'],
  ])('wakes those whose lane got work from %s', async (_, code, action) => {
    await box.insert(spec('a', { targets: ['b'] }), spec('b', { action: 'next' }));
    const held = await box.own();
    const heard = await box.heard(CHANNELS, async () => {
      await sleep('one', [action]);
      await box.giveBack(held, code);
    });
    expect(heard).toEqual([['one', 'ready']]);
  });

  it('wakes those whose lane got work from a timer', async () => {
    await box.insert(spec('a', { startAfterMs: at(5).getTime() }));
    const heard = await box.heard(CHANNELS, async () => {
      await sleep('one', ['work']);
      await box.rows('select run_timers($1)', [at(5)]);
    });
    expect(heard).toEqual([['one', 'ready']]);
  });

  it('skips a sleeper that somebody has locked, and does not wait', async () => {
    const heard = await box.heard(CHANNELS, async () => {
      await sleep('one', ['work']);
      await sleep('two', ['work']);
      // 1. Another session has the row of one.
      await box.sessionThat(`select * from sleeper where channel = 'one' for update`);
      // 2. Two tasks come: only two can be woken.
      await box.insert(spec('a'), spec('b'));
    });
    expect(heard).toEqual([['two', 'ready']]);
  });
});

describe('next_ready_at', () => {
  const nextReady = (now = NOW) =>
    box.value(`select next_ready_at('{default}', '{work}', $1)`, [now]);

  it('is now when something is ready in the lanes, or in the lane of the engine', async () => {
    await box.insert(spec('a'));
    expect(await nextReady()).toEqual(NOW);
    await box.clear();
    await box.insert(spec('m', { action: null, startAfterMs: at(5).getTime() }));
    await box.rows('select run_timers($1)', [at(5)]);
    expect(await nextReady(at(6))).toEqual(at(6));
  });

  it('is the time of the next timer when nothing is ready, and now when that is past', async () => {
    await box.insert(spec('a', { startAfterMs: at(5).getTime() }));
    expect(await nextReady()).toEqual(at(5));
    expect(await nextReady(at(7))).toEqual(at(7));
  });

  it('is nothing when nothing is known', async () => {
    await box.insert(spec('a', { action: 'other' }));
    expect(await nextReady()).toBeNull();
  });
});
