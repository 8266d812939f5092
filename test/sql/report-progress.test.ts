import { describe, expect, it } from 'vitest';
import { at, type Held, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function report(held: readonly Held[], reports: readonly unknown[]) {
  return box.values('select report_progress($1, $2, $3)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
    reports.map((one) => JSON.stringify(one)),
  ]);
}

async function resultOf(id: string): Promise<unknown> {
  return (await box.task(id, 'result'))?.result;
}

describe('report_progress', () => {
  it('keeps the latest report, and answers with the ids whose token held', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const held = await box.own();
    await box.giveBack(held.filter(({ id }) => id === 'b'));
    const reports = held.map(({ id }) => ({ done: 1, message: id }));
    expect((await report(held, reports)).sort()).toEqual(['a', 'c']);
    expect(await resultOf('a')).toEqual({ '~progress': { done: 1, message: 'a' } });
    expect(await resultOf('b')).toBeNull();
    await report(
      held,
      held.map(() => ({ done: 2 })),
    );
    expect(await resultOf('a')).toEqual({ '~progress': { done: 2 } });
  });

  it('refuses the token of an ownership that lapsed, also once another has it', async () => {
    await box.insert(spec('a'));
    const lapsed = await box.own({ duration: '1 second' });
    await report(lapsed, [{ done: 1 }]);
    await box.rows('select run_timers($1)', [at(1)]);
    expect(await resultOf('a')).toBeNull();
    expect(await report(lapsed, [{ done: 2 }])).toEqual([]);
    const held = await box.own({ duration: '1 second', now: at(1) });
    expect(await report(lapsed, [{ done: 3 }])).toEqual([]);
    expect(await resultOf('a')).toBeNull();
    expect(await report(held, [{ done: 4 }])).toEqual(['a']);
  });

  it.each([[{ until: 5 }], ['text'], ['~progress'], [['~progress']], [7]])(
    'keeps the result of before, %j, beside it: a lapse leaves that alone',
    async (before) => {
      await box.insert(spec('a'));
      const [first] = await box.own();
      await box.rows(
        `select * from return_tasks(array['a'], array[$1::uuid], '{pending}', null, array[$2::jsonb],
           array[$3::timestamptz], $3)`,
        [first?.token, JSON.stringify(before), NOW],
      );
      const held = await box.own({ duration: '1 second' });
      await report(held, [{ done: 1 }]);
      await report(held, [{ done: 2 }]);
      expect(await resultOf('a')).toEqual({ '~progress': { done: 2 }, '~result': before });
      await box.rows('select run_timers($1)', [at(1)]);
      expect(await resultOf('a')).toEqual(before);
    },
  );

  it('is over with a return of any kind, a cancellation, and a rerun', async () => {
    await box.insert(...['a', 'b', 'c', 'd'].map((id) => spec(id)));
    const held = await box.own();
    await report(
      held,
      held.map(() => ({ done: 1 })),
    );
    const only = (id: string) => held.filter((one) => one.id === id);
    await box.giveBack(only('a'));
    await box.giveBack(only('b'), 'pending');
    await box.rows("select cancel_tasks('{c}')");
    await box.rows("select rerun_tasks('{a}')");
    expect(await Promise.all(['a', 'b', 'c'].map(resultOf))).toEqual([null, null, null]);
    expect(await resultOf('d')).toEqual({ '~progress': { done: 1 } });
  });

  it('changes nothing else of the task', async () => {
    await box.insert(spec('a'));
    const held = await box.own();
    const before = await box.task('a', '*');
    await report(held, [{ done: 1 }]);
    expect(await box.task('a', '*')).toEqual({ ...before, result: { '~progress': { done: 1 } } });
  });
});
