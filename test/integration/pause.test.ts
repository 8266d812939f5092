import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/index.js';
import { eventually, giveBack, own, rejection, sortedIds, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const box = () => t.box;

const request = { actions: ['work', 'other'], queues: ['default', 'far'] };

async function insertFour(): Promise<void> {
  await box().insertTasks([
    task('default work'),
    task('default other', { action: 'other' }),
    task('far work', { queue: 'far' }),
    task('far other', { queue: 'far', action: 'other' }),
  ]);
}

async function clear(): Promise<void> {
  await t.pool.query('truncate task, ready, timer, pause, sleeper');
}

describe('pause', () => {
  it.each([
    [{ queue: 'far' }, ['default other', 'default work']],
    [{ action: 'work' }, ['default other', 'far other']],
    [{ queue: 'far', action: 'work' }, ['default other', 'default work', 'far other']],
  ])('of %j keeps its tasks from being owned until it is resumed', async (lanes, expected) => {
    await insertFour();
    await box().pause(lanes);
    expect(sortedIds(await own(box(), request))).toEqual(expected);
    expect(await box().waitForReady(request, { timeoutMs: 0 })).toBe(false);
    expect(await box().resume(lanes)).toBe(true);
    expect(await own(box(), request)).toHaveLength(4 - expected.length);
    expect(await box().resume(lanes)).toBe(false);
    await clear();
  });

  it('is listed with its time', async () => {
    await box().pause({ queue: 'far' });
    await box().pause({ queue: 'far', action: 'work' });
    expect(await box().listPauses()).toEqual([
      { queue: 'far', since: expect.any(Date) },
      { queue: 'far', action: 'work', since: expect.any(Date) },
    ]);
    await clear();
  });

  it('leaves what is in progress to be returned', async () => {
    await box().insertTasks([task('a')]);
    const owned = await own(box());
    await box().pause({ queue: 'default' });
    await giveBack(box(), owned);
    expect(await box().getTask('a')).toMatchObject({ statusCode: 'completed' });
    await clear();
  });

  it.each([[{}], [{ queue: '' }], [{ action: '' }]])('of %j is refused', async (lanes) => {
    expect(await rejection(box().pause(lanes))).toBeInstanceOf(InvalidOptionError);
    expect(await rejection(box().resume(lanes))).toBeInstanceOf(InvalidOptionError);
  });
});

describe('resume', () => {
  it('wakes a worker that sleeps', async () => {
    await box().pause({ action: 'work' });
    await box().insertTasks([task('a')]);
    const start = performance.now();
    const woken = box().waitForReady({ actions: ['work'] }, { timeoutMs: 20_000 });
    await eventually(async () => {
      const { rows } = await t.pool.query('select * from sleeper');
      expect(rows).toHaveLength(1);
    });
    await box().resume({ action: 'work' });
    expect(await woken).toBe(true);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await own(box())).toHaveLength(1);
    await clear();
  });
});
