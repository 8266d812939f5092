import { describe, expect, it } from 'vitest';
import { at, NOW, useSqlBox } from './sql-box.js';

const box = useSqlBox();

interface Ended {
  readonly targets?: readonly string[];
  readonly code?: string;
  /** When it ended, in seconds from NOW. */
  readonly ended?: number;
}

/** Inserts tasks that ended an hour before NOW. */
async function ended(ids: readonly string[], more: Ended = {}): Promise<void> {
  const { targets = null, code = 'completed', ended: seconds = -3600 } = more;
  await box.rows(
    `insert into task (id, action, to_signal_after, status_code, finished_at)
     select g.id, 'work', $2::text[], $3::status_code, $4 from unnest($1::text[]) as g (id)`,
    [ids, targets, code, at(seconds)],
  );
}

/** Inserts tasks that wait for a signal from outside. */
async function waiting(...ids: string[]): Promise<void> {
  await box.rows(
    `insert into task (id, action, total_is_given, total_dependencies)
     select g.id, 'work', true, 1 from unnest($1::text[]) as g (id)`,
    [ids],
  );
}

interface Step {
  readonly num_deleted: number;
  readonly next: string | null;
  readonly run: string | null;
  readonly is_done: boolean;
}

const CALL = `select num_deleted, next, run, is_done
  from clean_tasks($1, null, $2, $3, '15 minutes', $4, $5)`;

function values(next = '', run: string | null = null, batchSize = 1000, codes?: string[]) {
  return [next, run, batchSize, codes ?? null, NOW];
}

async function step(...args: Parameters<typeof values>): Promise<Step> {
  const { rows } = await box.test.pool.query<Step>(CALL, values(...args));
  const [row] = rows;
  if (!row) throw new Error('no row');
  return row;
}

/** A whole pass; how many it deleted at each step. */
async function clean(batchSize = 1000, codes?: string[]): Promise<number[]> {
  const deleted: number[] = [];
  for (let next = '', run: string | null = null; ; ) {
    const row: Step = await step(next, run, batchSize, codes);
    deleted.push(row.num_deleted);
    if (row.is_done) return deleted;
    next = row.next ?? '';
    run = row.run;
  }
}

function left(): Promise<unknown[]> {
  return box.values('select id from task order by id');
}

describe('clean_tasks', () => {
  it('deletes a task with all below it once all have ended long enough ago', async () => {
    await ended(['a', 'a/b', 'a/b/c', 'a!', 'alone']);
    expect(await clean()).toEqual([5]);
    expect(await left()).toEqual([]);
  });

  it.each([
    ['is unfinished', () => waiting('a/z')],
    ['ended a moment ago', () => ended(['a/z'], { ended: -899 })],
  ])('leaves a run alone of which the last task %s', async (_, insert) => {
    await ended(['a', 'a/b', 'a0', 'a-', 'b/c']);
    await insert();
    expect(await clean()).toEqual([3]);
    expect(await left()).toEqual(['a', 'a/b', 'a/z']);
  });

  it('takes for the root the topmost task there is on the path', async () => {
    await ended(['a', 'a/b/c', 'x/y', 'x/y/z']);
    await waiting('a/b/d', 'x/w');
    await clean();
    expect(await left()).toEqual(['a', 'a/b/c', 'a/b/d', 'x/w']);
  });

  it('leaves a run alone that has signalled something outside which is unfinished or has just ended', async () => {
    await waiting('later');
    await ended(['recent'], { ended: -1 });
    await ended(['a'], { targets: ['a', 'gone'] });
    await ended(['b/1'], { targets: ['later'] });
    await ended(['b'], { targets: ['b/1'] });
    await ended(['c'], { targets: ['old', 'recent'] });
    await ended(['old', 'old/1'], { targets: ['c'] });
    expect(await clean()).toEqual([3]);
    expect(await left()).toEqual(['b', 'b/1', 'c', 'later', 'recent']);
  });

  it('deletes with statuses given only runs of which every task ended so', async () => {
    await ended(['a', 'a/1', 'b', 'c']);
    await ended(['b/1', 'd'], { code: 'aborted' });
    expect(await clean(1000, ['completed'])).toEqual([3]);
    expect(await left()).toEqual(['b', 'b/1', 'd']);
  });

  it('deletes no more than a batch at a time, and whole runs only', async () => {
    await ended(['a', 'a/1', 'a/2', 'b', 'b/1', 'c', 'd']);
    expect(await step('', null, 4)).toEqual({
      num_deleted: 3,
      next: 'b',
      run: null,
      is_done: false,
    });
    expect(await clean(4)).toEqual([4, 0]);
    expect(await left()).toEqual([]);
  });

  it('deletes a run that is larger than a batch in several, the root last', async () => {
    await ended(['a', 'r', 'r/1', 'r/2', 'r/3', 's']);
    const steps: (readonly [number, unknown[]])[] = [];
    for (let next = '', run: string | null = null; ; ) {
      const row: Step = await step(next, run, 2);
      steps.push([row.num_deleted, await left()]);
      if (row.is_done) break;
      next = row.next ?? '';
      run = row.run;
    }
    expect(steps).toEqual([
      [1, ['r', 'r/1', 'r/2', 'r/3', 's']],
      [0, ['r', 'r/1', 'r/2', 'r/3', 's']],
      [2, ['r', 'r/3', 's']],
      [1, ['r', 's']],
      [1, ['s']],
      [1, []],
    ]);
  });

  it('leaves a larger run alone that has signalled something outside which is unfinished', async () => {
    await waiting('later');
    await ended(['r', 'r/1', 'r/2'], { targets: ['r', 'r/1'] });
    await ended(['r/3'], { targets: ['later'] });
    await ended(['s']);
    await clean(2);
    expect(await left()).toEqual(['later', 'r', 'r/1', 'r/2', 'r/3']);
  });

  it('goes on after a crash with what is left of a larger run', async () => {
    await ended(['r', 'r/1', 'r/2', 'r/3']);
    const first = await step('', null, 2);
    await step(first.next ?? '', first.run, 2);
    expect(await left()).toEqual(['r', 'r/3']);
    await clean(2);
    expect(await left()).toEqual([]);
  });

  it('deletes the attempts of its tasks, keys that were kept until now, and workers long silent', async () => {
    await ended(['a', 'b']);
    await waiting('b/1');
    await box.rows(
      `insert into attempt (task_id, num_try, ended_at, outcome)
       values ('a', 1, $1, 'failed'), ('b', 1, $1, 'failed')`,
      [NOW],
    );
    await box.rows(
      `insert into unique_key (key, task_id, kept_until, is_released)
       values ('over', 'a', $1, true), ('kept', 'a', $2, true)`,
      [NOW, at(1)],
    );
    const announce = `select announce_worker(gen_random_uuid(), $1, '{}', '{}', '1 minute', $2)`;
    await box.rows(announce, ['silent', at(-3 * 3600)]);
    await box.rows(announce, ['away', at(-1800)]);
    await clean();
    expect(await box.values('select task_id from attempt')).toEqual(['b']);
    expect(await box.values('select key from unique_key')).toEqual(['kept']);
    expect(await box.values('select actor_id from worker')).toEqual(['away']);
    await box.rows('truncate worker');
  });
});

describe('clean_tasks and a rerun at the same moment', () => {
  const rerun = (id: string) => [`select rerun_tasks(array[$1], p_now => $2)`, [id, NOW]] as const;

  it('leaves the whole run to a rerun that came first, before and after its commit', async () => {
    await ended(['r', 'r/1', 'r/2', 's']);
    const session = await box.sessionThat(...mutable(rerun('r/2')));
    expect(await clean()).toEqual([1]);
    await session.query('commit');
    expect(await clean()).toEqual([0]);
    expect(await left()).toEqual(['r', 'r/1', 'r/2']);
  });

  it('is first: the rerun waits, and finds nothing', async () => {
    await ended(['r', 'r/1']);
    const cleaner = await box.sessionThat(CALL, values());
    const reran = box.value(...mutable(rerun('r/1')));
    await box.untilSomebodyWaitsFor(cleaner);
    await cleaner.query('commit');
    expect(await reran).toBe(0);
    expect(await left()).toEqual([]);
  });

  it('stops a larger run at its root when that is rerun between two batches', async () => {
    await ended(['r', 'r/1', 'r/2', 'r/3']);
    const { next, run } = await step('', null, 1);
    const second = await step(next ?? '', run, 1);
    await box.rows(...mutable(rerun('r')));
    expect(await step(second.next ?? '', second.run, 1)).toMatchObject({
      num_deleted: 0,
      run: null,
    });
    expect(await left()).toEqual(['r', 'r/2', 'r/3']);
  });

  it('stops a larger run at the task that is rerun, and leaves it and the root', async () => {
    await ended(['r', 'r/1', 'r/2', 'r/3']);
    const first = await step('', null, 2);
    const session = await box.sessionThat(...mutable(rerun('r/3')));
    const second = await step(first.next ?? '', first.run, 2);
    expect(await step(second.next ?? '', second.run, 2)).toMatchObject({
      num_deleted: 0,
      run: null,
    });
    await session.query('commit');
    await clean(2);
    expect(await left()).toEqual(['r', 'r/3']);
  });

  it('keeps a task that is inserted into the run meanwhile', async () => {
    await ended(['r', 'r/1']);
    const inserter = await box.sessionThat(
      `insert into task (id, action, total_is_given, total_dependencies) values ('r/2', 'work', true, 1)`,
    );
    expect(await clean()).toEqual([2]);
    await inserter.query('commit');
    expect(await left()).toEqual(['r/2']);
  });
});

function mutable(call: readonly [string, readonly unknown[]]): [string, unknown[]] {
  return [call[0], [...call[1]]];
}
