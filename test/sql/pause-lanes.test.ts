import { describe, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

const pause = (queue: string | null, action: string | null, now = NOW) =>
  box.rows('select pause_lanes($1, $2, $3)', [queue, action, now]);
const resume = (queue: string | null, action: string | null) =>
  box.value('select resume_lanes($1, $2, $3)', [queue, action, NOW]);
const nextReady = () =>
  box.value(`select next_ready_at('{default,far,default}', '{work,work,other}', $1)`, [NOW]);

/** One task in each of three lanes. */
async function insertThree(): Promise<void> {
  await box.insert(spec('a'), spec('b', { action: 'other' }), spec('c', { queue: 'far' }));
}

async function claimed(): Promise<unknown[]> {
  return box.values(
    `select id from own_tasks('me', '{default,far,default}', '{work,work,other}', 9, p_now => $1) order by id`,
    [NOW],
  );
}

describe('pause_lanes', () => {
  it.each([
    ['a queue', 'default', null, ['c']],
    ['an action', null, 'work', ['b']],
    ['an action in a queue', 'default', 'work', ['b', 'c']],
    ['nothing that is there', 'default', 'none', ['a', 'b', 'c']],
  ])('keeps tasks of %s from being owned', async (_, queue, action, expected) => {
    await insertThree();
    await pause(queue, action);
    expect(await claimed()).toEqual(expected);
  });

  it('keeps tasks with keys from being owned too', async () => {
    await box.insert(spec('a', { fairKey: 'f' }), spec('b', { action: 'other', limitKey: 'k' }));
    await pause(null, 'work');
    expect(await claimed()).toEqual(['b']);
  });

  it('hides what is ready there from those who ask when to come back', async () => {
    await box.insert(spec('a'), spec('k', { fairKey: 'f' }));
    expect(await nextReady()).toEqual(NOW);
    await pause('default', 'work');
    expect(await nextReady()).toBeNull();
    await box.insert(spec('later', { startAfterMs: at(9).getTime() }));
    expect(await nextReady()).toEqual(at(9));
    await box.insert(spec('b', { action: 'other' }));
    expect(await nextReady()).toEqual(NOW);
  });

  it('leaves what is in progress alone, and does not hinder its return', async () => {
    await box.insert(spec('a'), spec('b', { action: 'other' }));
    const held = await box.own();
    await pause('default', null);
    expect(await box.giveBack(held, 'pending')).toEqual([]);
    expect(await claimed()).toEqual([]);
  });

  it('keeps the time of the first of two equal pauses', async () => {
    await pause('default', null);
    await pause('default', null, at(9));
    expect(await box.rows('select * from list_pauses()')).toEqual([
      { queue: 'default', action: '', since: NOW },
    ]);
  });
});

describe('resume_lanes', () => {
  it('takes back a pause of the same queue and action only, and says whether there was one', async () => {
    await insertThree();
    await pause('default', null);
    expect(await resume('default', 'work')).toBe(false);
    expect(await resume(null, null)).toBe(false);
    expect(await claimed()).toEqual(['c']);
    expect(await resume('default', null)).toBe(true);
    expect(await claimed()).toEqual(['a', 'b']);
  });

  it('wakes those who sleep on its lanes where something is ready, unless another pause stands', async () => {
    await box.insert(spec('a'), spec('f', { queue: 'far', fairKey: 'f' }));
    const heard = await box.heard(['one', 'two', 'three', 'four'], async () => {
      await pause(null, 'work');
      await pause('default', null);
      await box.rows(`select sleep_on_lanes('one', '{default}', '{work}', $1)`, [at(60)]);
      await box.rows(`select sleep_on_lanes('two', '{far}', '{work}', $1)`, [at(60)]);
      await box.rows(`select sleep_on_lanes('three', '{empty}', '{work}', $1)`, [at(60)]);
      await box.rows(`select sleep_on_lanes('four', '{far}', '{other}', $1)`, [at(60)]);
      await resume(null, 'work');
    });
    expect(heard).toEqual([['two', 'ready']]);
  });
});
