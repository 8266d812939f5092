import { describe, expect, it } from 'vitest';
import { ActionManager, ClosedError, defineActor, WaitCancelledError } from '../../src/index.js';
import { gate } from '../support/altered-store.js';
import { eventually, listedIds, range, rejection, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('a box that is closed', () => {
  it('lets statements finish that have begun, queued ones too', async () => {
    const box = await t.another({ maxConnections: 1 });
    const counting = range(5).map(() => box.countTasks({ idPrefix: 'none/' }));
    await counting[0];
    await box.close();
    expect(await Promise.all(counting)).toEqual(range(5).map(() => []));
  });

  it('lets an insert finish that has begun to write', async () => {
    const box = await t.another();
    const blocker = await t.pool.connect();
    await blocker.query('begin');
    await blocker.query('lock table task in exclusive mode');
    const inserting = box.withPrefix('written').insertTasks(range(100).map((i) => task(`t${i}`)));
    await eventually(async () => {
      const { rows } = await t.pool.query(
        `select from pg_locks where relation = 'task'::regclass and not granted`,
      );
      expect(rows).toHaveLength(1);
    });
    const closing = box.close();
    await blocker.query('commit');
    blocker.release();
    expect(await inserting).toEqual({ inserted: 100 });
    await closing;
  });

  it('refuses an insert whose source is still being read', async () => {
    const box = await t.another();
    const half = gate();
    const goOn = gate();
    async function* tasks() {
      yield task('first');
      half.open();
      await goOn.opened;
      yield task('last');
    }
    const refused = rejection(box.withPrefix('unread').insertTasks(tasks()));
    await half.opened;
    await box.close();
    goOn.open();
    expect(await refused).toBeInstanceOf(ClosedError);
    expect(await listedIds(t.box.withPrefix('unread'))).toEqual([]);
  });

  it('ends the claims of a manager that was not stopped, which says so once', async () => {
    const box = await t.another();
    const failures: unknown[] = [];
    const manager = new ActionManager(
      box.withPrefix('worker'),
      defineActor('a', { work: async () => 1 }),
      { errWaitTimeMs: 1, waitTimeMs: 1 },
    );
    manager.on('error', ({ error }) => failures.push(error));
    await manager.start();
    await box.withPrefix('worker').insertTasks([task('a')]);
    await box.withPrefix('worker').waitFor('a');
    await box.close();
    await eventually(() => expect(failures).toHaveLength(1));
    await manager.stop();
    expect(failures).toEqual([expect.any(ClosedError)]);
  });

  it('refuses what comes after, and whatever goes on with another statement', async () => {
    const box = await t.another();
    const store = box.withPrefix('pages');
    await store.insertTasks(range(2_500).map((i) => task(`t${i}`)));
    const pages = store.listTasks()[Symbol.asyncIterator]();
    await pages.next();
    await box.close();
    const rest = async () => {
      while (!(await pages.next()).done);
    };
    expect(await rejection(rest())).toMatchObject({ code: 'CLOSED' });
    expect(await rejection(box.countTasks({}))).toBeInstanceOf(ClosedError);
    expect(await rejection(store.insertTasks([task('late')]))).toBeInstanceOf(ClosedError);
    expect(await rejection(store.waitFor('t1'))).toBeInstanceOf(WaitCancelledError);
    await box.close();
    expect(await t.box.withPrefix('pages').countTasks({})).toMatchObject([{ count: 2_500 }]);
  });
});
