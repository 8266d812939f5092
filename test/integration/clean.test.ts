import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CleanOptions, InvalidOptionError, InvalidStatusError } from '../../src/index.js';
import { range, rejection, statuses, task } from '../support/factories.js';
import { startManager } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** A task as it stands in the table. */
interface Stood {
  readonly id: string;
  readonly code: 'completed' | 'aborted' | 'pending';
  /** Since its end. */
  readonly ageMinutes: number;
  readonly targets: readonly string[];
}

/** Unfinished ones wait for a signal from outside. */
async function put(tasks: readonly Stood[]): Promise<void> {
  await t.pool.query(
    `insert into task (id, action, to_signal_after, status_code, finished_at, total_is_given,
       total_dependencies)
     select j.id, 'work', j.targets, j.code, case when j.code <> 'pending'
       then now() - make_interval(mins => j."ageMinutes") end, true,
       case when j.code = 'pending' then 1 else 0 end
     from jsonb_to_recordset($1) as j (id text, code status_code, "ageMinutes" integer, targets text[])`,
    [JSON.stringify(tasks)],
  );
}

function stood(id: string, more: Partial<Stood> = {}): Stood {
  return { id, code: 'completed', ageMinutes: 60, targets: [], ...more };
}

async function left(): Promise<string[]> {
  const { rows } = await t.pool.query<{ id: string }>('select id from task order by id');
  return rows.map(({ id }) => id);
}

async function clear(): Promise<void> {
  await t.pool.query('truncate task, ready, timer, attempt');
}

describe('cleaning', () => {
  it('keeps what ended less than 15 minutes ago, unless told otherwise', async () => {
    await put([stood('old', { ageMinutes: 16 }), stood('young', { ageMinutes: 14 })]);
    expect(await t.box.cleanTasks()).toBe(1);
    expect(await left()).toEqual(['young']);
    expect(await t.box.cleanTasks({ minAgeMs: 0 })).toBe(1);
  });

  it('counts the age from the end of the last task, not from the insert', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    await t.pool.query(`update task set created_at = now() - interval '1 day'`);
    await store.cancelTasks(['a']);
    expect(await store.cleanTasks()).toBe(0);
    expect(await store.cleanTasks({ minAgeMs: 0 })).toBe(1);
  });

  it('stays within its prefix, and within the prefix of the ids', async () => {
    await put(['n.a', 'n.b', 'n.b/1', 'nn.a', 'o'].map((id) => stood(id)));
    expect(await t.box.withPrefix('n').cleanTasks({ idPrefix: 'b' })).toBe(2);
    // What lies below a root outside the prefix is no run of its own.
    await put([stood('r'), stood('r/x')]);
    expect(await t.box.cleanTasks({ idPrefix: 'r/' })).toBe(0);
    expect(await t.box.withPrefix('n').cleanTasks()).toBe(1);
    expect(await left()).toEqual(['nn.a', 'o', 'r', 'r/x']);
    await clear();
  });

  it('tells how far it is, and stops between two batches when its signal fires', async () => {
    await put(range(25).map((i) => stood(`t${i}`)));
    const seen: number[] = [];
    const stop = new AbortController();
    const onProgress = (numDeleted: number) => {
      seen.push(numDeleted);
      if (numDeleted >= 20) stop.abort(new Error('enough'));
    };
    const cleaning = t.box.cleanTasks({ batchSize: 10, onProgress, signal: stop.signal });
    expect(await rejection(cleaning)).toMatchObject({ message: 'enough' });
    expect(seen).toEqual([10, 20]);
    expect(await left()).toHaveLength(5);
    await clear();
  });

  it.each([[{ minAgeMs: -1 }], [{ batchSize: 0 }], [{ batchSize: 1.5 }], [{ batchSize: 200_000 }]])(
    'refuses %j',
    async (options) => {
      expect(await rejection(t.box.cleanTasks(options))).toBeInstanceOf(InvalidOptionError);
    },
  );

  it('refuses a status that does not exist', async () => {
    // @ts-expect-error: that is the point.
    const cleaning = t.box.cleanTasks({ statusCodes: ['done'] });
    expect(await rejection(cleaning)).toBeInstanceOf(InvalidStatusError);
  });

  it('deletes 20,000 ended tasks, and none of the runs that go on, while workers work', async () => {
    const ended = range(1_000).flatMap((run) =>
      ['', ...range(19).map((i) => `/${i}`)].map((path) => stood(`ended-${run}${path}`)),
    );
    const going = range(100).flatMap((run) => [
      stood(`going-${run}`),
      stood(`going-${run}/1`),
      stood(`going-${run}/2`, { code: 'pending' }),
    ]);
    await put([...ended, ...going]);
    const live = t.namespace();
    const ids = range(300).flatMap((run) => [`r${run}`, `r${run}/1`, `r${run}/2`]);
    await live.insertTasks(
      ids.map((id) =>
        task(id, id.includes('/') ? { toSignalAfter: [id.replace(/\/.*/, '')] } : {}),
      ),
    );
    const before = await left();
    await startManager(live, async () => {}, { workers: 4 });
    const [one, other] = await Promise.all([
      t.box.cleanTasks(),
      t.box.cleanTasks({ batchSize: 7 }),
      live.waitFor(ids),
    ]);
    // What one had locked the other has left alone.
    expect(one + other + (await t.box.cleanTasks())).toBe(ended.length);
    expect(await left()).toEqual(before.filter((id) => !id.startsWith('ended-')));
    expect(new Set(Object.values(await statuses(live)))).toEqual(new Set(['completed']));
    await clear();
  });

  it('deletes a run wholly or not at all, whoever reruns tasks of it meanwhile', async () => {
    const runs = range(300).map((i) => `r${String(i).padStart(3, '0')}`);
    await put(
      runs.flatMap((run) => [
        stood(run),
        ...range(4).map((i) => stood(`${run}/${i}`, { targets: [run] })),
      ]),
    );
    const rerun: string[] = [];
    const rerunSome = async (offset: number) => {
      for (const run of runs.filter((_, i) => i % 10 === offset)) {
        const count = await t.box.rerunTasks([`${run}/${offset}`], { downstream: offset === 1 });
        if (count > 0) rerun.push(run);
      }
    };
    t.allow({ signalsMayOutnumberSenders: true });
    await Promise.all([
      ...range(3).map(rerunSome),
      t.box.cleanTasks({ batchSize: 20 }),
      t.box.cleanTasks({ batchSize: 35 }),
    ]);
    const ids = await left();
    const sizes = runs.map((run) => ids.filter((id) => id.startsWith(run)).length);
    expect(sizes.filter((size) => size !== 0 && size !== 5)).toEqual([]);
    expect(rerun.filter((run) => !ids.includes(run))).toEqual([]);
    await clear();
  });
});

describe('cleaning a random forest', () => {
  const AGES = [0, 5, 20, 60];
  const step = fc.constantFrom('a', 'b', 'a!', 'a0', '', 'é', '~');
  const id = fc
    .array(step, { minLength: 1, maxLength: 4 })
    .map((steps) => steps.join('/'))
    .filter((path) => path !== '');
  const forest = fc.uniqueArray(id, { minLength: 1, maxLength: 25 }).chain((ids) =>
    fc.tuple(
      ...ids.map((one) =>
        fc.record({
          id: fc.constant(one),
          code: fc.constantFrom(...(['completed', 'completed', 'aborted', 'pending'] as const)),
          ageMinutes: fc.constantFrom(...AGES, 60, 60, 60),
          targets: fc.subarray([...ids, 'gone'], { maxLength: 2 }),
        }),
      ),
    ),
  );
  const options: fc.Arbitrary<CleanOptions> = fc.record(
    {
      minAgeMs: fc.constantFrom(0, 10 * 60_000),
      batchSize: fc.integer({ min: 1, max: 8 }),
      idPrefix: fc.constantFrom('', 'a', 'a/', 'b', '/'),
      statusCodes: fc.constantFrom<('completed' | 'aborted')[]>(['completed'], ['aborted']),
    },
    { requiredKeys: ['batchSize'] },
  );

  it('deletes exactly the right runs', async () => {
    await fc.assert(
      fc.asyncProperty(forest, options, async (tasks, cleaning) => {
        await clear();
        await put(tasks);
        const expected = remaining(tasks, cleaning);
        expect(await t.box.cleanTasks(cleaning)).toBe(tasks.length - expected.length);
        expect((await left()).sort()).toEqual(expected.sort());
      }),
      { numRuns: 200 },
    );
    await clear();
  });
});

/** What must be left: the definition, word for word. */
function remaining(
  tasks: readonly Stood[],
  { minAgeMs = 15 * 60_000, idPrefix = '', statusCodes }: CleanOptions,
): string[] {
  const byId = new Map(tasks.map((one) => [one.id, one]));
  const hasEnded = ({ code, ageMinutes }: Stood) =>
    code !== 'pending' && ageMinutes * 60_000 >= minAgeMs;
  const rootOf = (id: string) =>
    tasks
      .map((one) => one.id)
      .filter((above) => id.startsWith(`${above}/`))
      .reduce((topmost, above) => (above.length < topmost.length ? above : topmost), id);
  const mayGo = (root: string) =>
    root.startsWith(idPrefix) &&
    tasks
      .filter((one) => rootOf(one.id) === root)
      .every(
        (one) =>
          hasEnded(one) &&
          (statusCodes?.some((code) => code === one.code) ?? true) &&
          one.targets.every((target) => {
            const found = byId.get(target);
            return found === undefined || hasEnded(found);
          }),
      );
  return tasks.map((one) => one.id).filter((id) => !mayGo(rootOf(id)));
}
