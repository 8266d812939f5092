import { afterEach, describe, expect, it } from 'vitest';
import { randomNumbers } from '../support/random-numbers.js';
import { at, expectRaise, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();
afterEach(() => box.rows('truncate worker'));

async function reasons(id: string, now = NOW): Promise<unknown> {
  return box.value(`select explain_task($1, $2) -> 'reasons'`, [id, now]);
}

function ms(seconds: number): number {
  return at(seconds).getTime();
}

async function employ(actions = ['work'], queues = ['default']): Promise<void> {
  await box.rows(`select announce_worker(gen_random_uuid(), 'me', $1, $2, '1 hour', $3)`, [
    queues,
    actions,
    NOW,
  ]);
}

const NO_WORKER = { kind: 'no-worker', queue: 'default', action: 'work' };
const first = { kind: 'ready', numBefore: 0 };

describe('explain_task', () => {
  it('raises SB001 for a task that does not exist', async () => {
    await expectRaise(reasons('ghost'), 'SB001', ['ghost']);
  });

  it('says how an ended task ended', async () => {
    await box.insert(spec('a'));
    await box.rows(`select cancel_tasks('{a}', 'not wanted')`);
    expect(await box.value(`select explain_task('a')`)).toEqual({
      id: 'a',
      statusCode: 'cancelled',
      reasons: [{ kind: 'ended', statusCode: 'cancelled', status: 'not wanted' }],
    });
  });

  it('says who owns a task, until when, and whether it has begun', async () => {
    await box.insert(spec('a'));
    await box.own({ duration: '10 seconds' });
    const owned = { kind: 'owned', actorId: 'me', deadline: ms(10), isBegun: true };
    expect(await reasons('a')).toEqual([owned]);
    await box.ahead('a');
    expect(await reasons('a')).toEqual([{ ...owned, isBegun: false }]);
    await box.rows(`select begin_tasks(array['a'], array_agg(performance_token)) from task`);
    await box.rows('update task set action_deadline = null');
    expect(await reasons('a')).toEqual([{ ...owned, deadline: null }]);
  });

  it('says when a task starts, and whether it is tried again then', async () => {
    await box.insert(spec('a', { startAfterMs: ms(5) }), spec('b', { retryDelayMs: 7_000 }));
    expect(await reasons('a')).toEqual([{ kind: 'start-time', at: ms(5), isRetry: false }]);
    await box.giveBack(await box.own(), 'pending');
    expect(await reasons('b')).toEqual([{ kind: 'start-time', at: ms(7), isRetry: true }]);
  });

  it('leaves a task to the engine whose time has come and that is in no lane yet', async () => {
    await box.insert(spec('a', { startAfterMs: ms(5) }));
    expect(await reasons('a', at(6))).toEqual([NO_WORKER, { kind: 'engine' }]);
  });

  it('leaves milestones, and tasks that will be skipped, to the engine', async () => {
    await box.insert(
      spec('milestone', { action: null, startAfterMs: ms(5) }),
      spec('skipped', { runWhen: 'any_failed', startAfterMs: ms(5) }),
    );
    expect(await reasons('milestone', at(6))).toEqual([{ kind: 'engine' }]);
    expect(await reasons('skipped', at(6))).toEqual([{ kind: 'engine' }]);
    expect(await reasons('skipped')).toMatchObject([{ kind: 'start-time' }]);
  });

  it('says that nobody performs a task, unless a live worker has its action and its queue', async () => {
    await box.insert(spec('a'));
    await employ(['other']);
    await employ(['work'], ['far']);
    expect(await reasons('a')).toEqual([NO_WORKER, first]);
    await employ(['other', 'work'], ['far', 'default']);
    expect(await reasons('a')).toEqual([first]);
    expect(await reasons('a', at(3600))).toEqual([NO_WORKER, first]);
  });

  it('counts the tasks before it in its lane: of higher priority, and ready for longer', async () => {
    await employ();
    await box.insert(spec('a'), spec('b', { priority: 1 }), spec('c'), spec('d', { priority: -1 }));
    await box.insert(spec('other', { action: 'other' }), spec('fair', { fairKey: 'f' }));
    expect(await reasons('b')).toEqual([first]);
    expect(await reasons('c')).toEqual([{ kind: 'ready', numBefore: 2 }]);
    expect(await reasons('d')).toEqual([{ kind: 'ready', numBefore: 3 }]);
    expect(await reasons('fair')).toEqual([first]);
  });

  it('names every pause of its lane, before a missing worker', async () => {
    await box.insert(spec('a'));
    await box.rows(`select pause_lanes('default', null, $1)`, [at(1)]);
    await box.rows(`select pause_lanes(null, 'work', $1)`, [at(2)]);
    await box.rows(`select pause_lanes('far', null, $1)`, [at(3)]);
    expect(await reasons('a')).toEqual([
      { kind: 'paused', queue: 'default', action: null, since: ms(1) },
      { kind: 'paused', queue: null, action: 'work', since: ms(2) },
      NO_WORKER,
      first,
    ]);
  });

  it('names the limit and the rate of its key that are reached', async () => {
    await employ();
    await box.limit('k', 2, { count: 2, interval: '1 minute' });
    await box.insert(...['a', 'b', 'c'].map((id) => spec(id, { limitKey: 'k' })));
    expect(await reasons('a')).toEqual([first]);
    await box.own();
    expect(await reasons('c')).toEqual([
      { kind: 'limit', key: 'k', limit: 2, inProgress: 2 },
      { kind: 'rate', key: 'k', rate: { count: 2, intervalMs: 60_000 }, until: ms(60) },
      first,
    ]);
    await box.limit('k', 3);
    expect(await reasons('c')).toEqual([first]);
  });
});

describe('explain_task of a task that waits for signals', () => {
  it('names the unfinished tasks that give them, and those furthest up with their reasons', async () => {
    await box.insert(
      spec('top', { targets: ['left', 'right'], startAfterMs: ms(5) }),
      spec('left', { targets: ['end'] }),
      spec('right', { targets: ['end'] }),
      spec('owned', { targets: ['end'], action: 'other' }),
      spec('done', { targets: ['end'], action: 'third' }),
      spec('end'),
    );
    await box.giveBack(await box.own({ actions: ['third'] }));
    await box.own({ actions: ['other'] });
    expect(await reasons('end')).toEqual([
      {
        kind: 'signals',
        missing: 3,
        from: ['left', 'owned', 'right'],
        roots: [
          {
            id: 'owned',
            statusCode: 'in-progress',
            reasons: [{ kind: 'owned', actorId: 'me', deadline: null, isBegun: true }],
          },
          {
            id: 'top',
            statusCode: 'pending',
            reasons: [{ kind: 'start-time', at: ms(5), isRetry: false }],
          },
        ],
      },
    ]);
  });

  it('says how many signals nobody will give, of the task and of those it waits for', async () => {
    await box.insert(
      spec('approval', { targets: ['end'], givenTotal: 2 }),
      spec('end', { givenTotal: 3, startAfterMs: ms(9) }),
    );
    expect(await reasons('approval')).toEqual([{ kind: 'outside-signals', missing: 2 }]);
    expect(await reasons('end')).toEqual([
      {
        kind: 'signals',
        missing: 1,
        from: ['approval'],
        roots: [
          {
            id: 'approval',
            statusCode: 'pending',
            reasons: [{ kind: 'outside-signals', missing: 2 }],
          },
        ],
      },
      { kind: 'outside-signals', missing: 2 },
      { kind: 'start-time', at: ms(9), isRetry: false },
    ]);
  });

  it('says of a task on the way up that it waits for the outside too', async () => {
    await box.insert(
      spec('top', { targets: ['middle'] }),
      spec('middle', { targets: ['end'], givenTotal: 2 }),
      spec('end'),
    );
    expect(await reasons('end')).toMatchObject([
      {
        roots: [
          { id: 'middle', reasons: [{ kind: 'outside-signals', missing: 1 }] },
          { id: 'top', reasons: [NO_WORKER, first] },
        ],
      },
    ]);
  });

  it('ends at a circle, of which there should be none, and finds no root in it', async () => {
    await box.rows(
      `insert into task (id, action, to_signal_after, total_dependencies)
       values ('a', 'work', '{b}', 1), ('b', 'work', '{c}', 1), ('c', 'work', '{a}', 1)`,
    );
    expect(await reasons('a')).toEqual([{ kind: 'signals', missing: 1, from: ['c'], roots: [] }]);
  });

  it('gives at most 20 names and 20 roots, whatever the number', async () => {
    const many = Array.from({ length: 50 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    await box.insert(...many.map((id) => spec(id, { targets: ['end'] })), spec('end'));
    const [reason] = [await reasons('end')].flat();
    expect(reason).toMatchObject({
      missing: 50,
      from: many.slice(0, 20),
      roots: many.slice(0, 20).map((id) => ({ id })),
    });
  });

  it('says the same of tasks in directories as of tasks without any', async () => {
    const next = randomNumbers(20);
    const directories = ['', 'a/', 'a/b/', 'a/b/c/', 'b/', 'b/c/'];
    let numWaiting = 0;
    for (let round = 0; round < 12; round++) {
      const ids = Array.from({ length: 30 }, (_, i) => {
        return `r${round}/${directories[next(directories.length)]}${String.fromCharCode(97 + (i % 26))}${i}`;
      });
      const targetsOf = ids.map((_, i) => ids.filter((_, k) => k > i && next(12) === 0));
      const specs = ids.map((id, i) => {
        const numSenders = targetsOf.filter((targets) => targets.includes(id)).length;
        const givenTotal = next(8) === 0 ? numSenders + 1 : null;
        return spec(id, { targets: targetsOf[i] ?? [], givenTotal });
      });
      // No id has a dot: in the order of ids it comes next before '/'.
      const flat = (id: string) => id.replaceAll('/', '.');
      await box.insert(...specs);
      await box.insert(
        ...specs.map((one) => ({ ...one, id: flat(one.id), targets: one.targets.map(flat) })),
      );
      await employ();
      for (const id of ids) {
        const found = JSON.stringify(await reasons(id));
        const expected = JSON.stringify(await reasons(flat(id)));
        expect(flat(found).replace(/"numBefore":\d+/g, '')).toBe(
          expected.replace(/"numBefore":\d+/g, ''),
        );
        if (found.includes('"signals"')) numWaiting++;
      }
    }
    expect(numWaiting).toBeGreaterThan(100);
  });

  it('finds the root of 5,000 tasks in a row', async () => {
    await box.rows(
      `insert into task (id, action, to_signal_after, total_dependencies)
       select 't' || n, 'work', case when n < 5000 then array['t' || n + 1] end, (n > 1)::integer
       from generate_series(1, 5000) n`,
    );
    await box.rows(`select enqueue_tasks('{t1}')`);
    expect(await reasons('t5000')).toMatchObject([{ from: ['t4999'], roots: [{ id: 't1' }] }]);
  });
});
