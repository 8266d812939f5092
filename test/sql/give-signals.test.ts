import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { leaveSignals } from '../support/few-signals.js';
import { expectInvariants } from '../support/invariants.js';
import { NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

beforeAll(() => leaveSignals(box.test.pool, { max: 2, part: 2 }));

const TARGETS = ['a', 'b', 'c', 'd', 'e'];

/** Inserts a task, `first`, that signals all of TARGETS, and ends it. */
async function endFirst(): Promise<void> {
  await box.insert(
    spec('first', { targets: TARGETS }),
    ...TARGETS.map((id) => spec(id, { action: 'later' })),
  );
  await box.giveBack(await box.own());
}

function give(): Promise<unknown> {
  return box.value('select give_signals($1)', [NOW]);
}

async function numSignals(): Promise<unknown> {
  return box.values(`select num_signals from task where id <> 'first' order by id`);
}

describe('give_signals', () => {
  it('gives signals to many targets part by part, once their sender has ended', async () => {
    await endFirst();
    expect(await box.task('first', 'status_code')).toEqual({ status_code: 'completed' });
    expect(await numSignals()).toEqual([0, 0, 0, 0, 0]);
    expect(await give()).toBe(2);
    expect(await box.ready()).toEqual(['a', 'b']);
    expect([await give(), await give(), await give()]).toEqual([2, 1, 0]);
    expect(await box.ready()).toEqual(TARGETS);
  });

  it('is what each own begins with', async () => {
    await endFirst();
    const owned = [];
    for (let i = 0; i < 4; i++) owned.push((await box.own({ actions: ['later'] })).length);
    expect(owned).toEqual([2, 2, 1, 0]);
  });

  it('leaves nothing behind where few are to be signalled', async () => {
    await box.insert(spec('first', { targets: ['a', 'b'] }), spec('a'), spec('b'));
    await box.giveBack(await box.own());
    expect(await box.ready()).toEqual(['a', 'b']);
    expect(await give()).toBe(0);
  });

  it('keeps apart how the senders ended', async () => {
    await box.insert(
      spec('x', { targets: TARGETS }),
      spec('y', { targets: TARGETS }),
      ...TARGETS.map((id) => spec(id)),
    );
    const [x, y] = await box.own();
    await box.rows('select * from return_tasks($1, $2, $3, p_now => $4)', [
      [x?.id, y?.id],
      [x?.token, y?.token],
      ['aborted', 'completed'],
      NOW,
    ]);
    while ((await give()) !== 0);
    const signals = `select distinct num_signals, num_failures from task where num_signals > 0`;
    expect(await box.rows(signals)).toEqual([{ num_signals: 2, num_failures: 1 }]);
    expect((await box.ready()).sort()).toEqual(TARGETS);
  });

  it('gives the signals of tasks that were cancelled or lapsed part by part, too', async () => {
    await box.insert(
      spec('first', { targets: TARGETS, maxTries: 1 }),
      ...TARGETS.map((id) => spec(id)),
    );
    await box.rows(`select cancel_tasks('{first}', p_now => $1)`, [NOW]);
    expect(await numSignals()).toEqual([0, 0, 0, 0, 0]);
    while ((await give()) !== 0);
    expect(await box.values(`select num_failures from task where id <> 'first'`)).toEqual([
      1, 1, 1, 1, 1,
    ]);
  });

  /*
   *   session A                        session B
   *   1. gives a part, its rows locked
   *                                    2. gives the next part, without waiting
   *   3. rolls back
   *                                    4. gives the part that A had
   */
  it('gives parts side by side, and again what a session that failed had', async () => {
    await endFirst();
    const a = await box.sessionThat('select give_signals($1)', [NOW]);
    expect(await give()).toBe(2);
    expect(await box.ready()).toEqual(['c', 'd']);
    await a.query('rollback');
    expect([await give(), await give()]).toEqual([2, 1]);
    expect((await box.ready()).sort()).toEqual(TARGETS);
  });

  it('passes over a task that was inserted anew with the id of a target', async () => {
    await endFirst();
    await box.rows(`select delete_tasks('{a,b}')`);
    await box.insert(spec('a', { givenTotal: 1 }));
    while ((await give()) !== 0);
    expect(await box.task('a', 'num_signals, total_dependencies')).toEqual({
      num_signals: 0,
      total_dependencies: 1,
    });
    expect(await box.ready()).toEqual(['c', 'd', 'e']);
  });

  it('counts for targets that are cancelled meanwhile, and that run again', async () => {
    await endFirst();
    await box.rows(`select cancel_tasks('{a,b}', p_now => $1)`, [NOW]);
    await box.rows(`select rerun_tasks('{a}', p_now => $1)`, [NOW]);
    while ((await give()) !== 0);
    await box.rows(`select rerun_tasks('{b}', p_now => $1)`, [NOW]);
    expect((await box.ready()).sort()).toEqual(TARGETS);
  });

  it('is not needed by the sender: that may be deleted', async () => {
    box.test.allow({ signalsMayOutnumberSenders: true });
    await endFirst();
    await box.rows(`select delete_tasks('{first}')`);
    while ((await give()) !== 0);
    expect(await box.ready()).toEqual(TARGETS);
  });

  it('is made good before a rerun takes back what its task gave', async () => {
    await endFirst();
    await give();
    await box.rows(`select rerun_tasks('{first}', p_now => $1)`, [NOW]);
    expect(await box.ready()).toEqual(['first']);
    expect(await numSignals()).toEqual([0, 0, 0, 0, 0]);
    expect(await give()).toBe(0);
  });

  it('still reaches a target that waits for another task which is run again', async () => {
    await box.insert(
      spec('first', { targets: TARGETS }),
      spec('other', { targets: ['a'], action: 'later' }),
      ...TARGETS.map((id) => spec(id, { action: 'later' })),
    );
    await box.giveBack(await box.own({ actions: ['later'] }));
    await box.giveBack(await box.own());
    await box.rows(`select rerun_tasks('{other}', p_now => $1)`, [NOW]);
    while ((await give()) !== 0);
    expect(await box.task('a', 'num_signals')).toEqual({ num_signals: 1 });
  });

  it('is something to own, as far as sleepers are told, and wakes one for each part', async () => {
    // Channels are the database's: no other test file uses these.
    const channels = ['part one', 'part two', 'part three', 'part four'];
    for (const channel of channels) {
      await box.rows(
        `select * from sleep_on_lanes($1, '{default}', '{elsewhere}', now() + interval '10 years')`,
        [channel],
      );
    }
    const heard = await box.heard(channels, endFirst);
    expect(heard.map(([, payload]) => payload)).toEqual(['ready', 'ready', 'ready']);
    expect(await box.value(`select next_ready_at('{default}', '{elsewhere}', $1)`, [NOW])).toEqual(
      NOW,
    );
    while ((await give()) !== 0);
    expect(
      await box.value(`select next_ready_at('{default}', '{elsewhere}', $1)`, [NOW]),
    ).toBeNull();
  });

  it('is what a task waits for whose signals are on their way', async () => {
    await endFirst();
    expect(await box.value(`select explain_task('e', $1)`, [NOW])).toMatchObject({
      reasons: [{ kind: 'engine' }],
    });
    await box.insert(spec('late', { givenTotal: 1 }));
    await box.rows(`update task set to_signal_after = '{late}' where id = 'e'`);
    expect(await box.value(`select explain_task('late', $1)`, [NOW])).toMatchObject({
      reasons: [
        { kind: 'signals', from: ['e'], roots: [{ id: 'e', reasons: [{ kind: 'engine' }] }] },
      ],
    });
  });
});

const VERBS = [
  ...Array(4).fill('perform'),
  ...Array(4).fill('give'),
  ...['fail', 'rerun', 'cancel', 'delete', 'anew'],
];

/** What may happen at any time while signals are on their way. `pick` says to which task. */
const events = fc.array(
  fc.record({
    verb: fc.constantFrom(...VERBS),
    pick: fc.nat(11),
    isDownstream: fc.boolean(),
  }),
  { minLength: 10, maxLength: 25 },
);
const edges = fc.uniqueArray(fc.tuple(fc.nat(11), fc.nat(11)), {
  selector: ([from, to]) => `${from} ${to}`,
  minLength: 12,
  maxLength: 30,
});

it('loses no signal and gives none twice, whatever happens while all are on their way', async () => {
  await leaveSignals(box.test.pool, { max: 0, part: 1 });
  const exceptions = { signalsMayOutnumberSenders: true };
  box.test.allow(exceptions);
  let numGivenLate = 0;
  const one = (id: number) => [`t${id}`];
  const perform = async (code: string, maxTasks: number) => {
    const owned = await box.own({ maxTasks });
    await box.giveBack(owned, code);
    return owned.length;
  };

  await fc.assert(
    fc.asyncProperty(edges, events, async (drawn, happening) => {
      await box.clear();
      const forward = drawn.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
      await box.insert(
        ...Array.from({ length: 12 }, (_, i) =>
          spec(`t${i}`, {
            targets: [...new Set(forward.flatMap(([a, b]) => (a === i && b !== i ? one(b) : [])))],
          }),
        ),
      );
      const anew = new Set<string>();
      for (const { verb, pick, isDownstream } of happening) {
        const [id = ''] = one(pick);
        if (verb === 'perform') await perform('completed', 1 + pick);
        else if (verb === 'fail') await perform('aborted', 1 + pick);
        else if (verb === 'give') numGivenLate += Number(await give());
        else if (verb === 'rerun') {
          await box.rows('select rerun_tasks($1, $2, p_now => $3)', [[id], isDownstream, NOW]);
        } else if (verb === 'cancel') {
          await box.rows('select cancel_tasks($1, null, $2, $3)', [[id], isDownstream, NOW]);
        } else if (verb === 'delete') await box.rows('select delete_tasks($1)', [[id]]);
        else if ((await box.task(id, 'id')) === undefined) {
          await box.insert(spec(id, { givenTotal: 1 }));
          anew.add(id);
        }
        for (const gone of [...anew]) if (!(await box.task(gone, 'id'))) anew.delete(gone);
        await expectInvariants(box.test.pool, box.test.schema, exceptions);
      }

      while ((await give()) !== 0);
      // What waits for a signal from outside may have got one from a task that lists it, and was performed since.
      while ((await perform('completed', 100)) > 0) while ((await give()) !== 0);
      const unfinished = await box.values(`select id from task where status_code < 'completed'`);
      expect(unfinished.filter((id) => !anew.has(String(id)))).toEqual([]);
    }),
    { numRuns: 60 },
  );
  expect(numGivenLate).toBeGreaterThan(50);
});
