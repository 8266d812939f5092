import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { randomNumbers } from '../support/random-numbers.js';
import { useTestBox } from '../support/test-box.js';

/*
 * Straight at the functions over connections of their own: the client would repeat a statement that deadlocked,
 * and hide it.
 *
 * That these tests can fail was tried with copies of the functions. Deadlocks found:
 *                                                 first test     second test
 *   as they are                                       0               0
 *   signal_targets without the order of targets    1,435             315
 *   return_tasks without the order of tasks           0              19
 *   extend_task_deadlines without the order           0              29
 *
 * Some are too rare for 15 rounds. With leases that lapse five times as often and updates of up to 160 tasks, the
 * second test found
 *   run_timers waiting for the targets of lapsed tasks               2 in 500 rounds: with update_tasks, which had seen
 *                                                                    a lapsed task pending, before it was owned
 *   SKIP LOCKED waiting in watch_tasks and for lapsed tasks          3 in 600: they and update_tasks and return_tasks
 *   as they are                                                      0 in 600
 * Step by step: sql/run-timers.test.ts.
 */
const NUM_SESSIONS = 8;
const NUM_TASKS = 600;
const NUM_TARGETS = 200;
const TARGETS_PER_TASK = 6;
const BATCH_SIZE = 25;
/** For when there are deadlocks: each takes its time to be found. */
const TIMEOUT_MS = 180_000;

const t = useTestBox();
const sessions: pg.Client[] = [];

interface Held {
  readonly id: string;
  readonly token: string;
}

/** What the sessions were told. */
type Errors = Record<string, number>;

beforeAll(async () => {
  const connectionString = inject('connectionString');
  for (let i = 0; i < NUM_SESSIONS + 8; i++) {
    const session = new pg.Client({
      connectionString,
      options: `-c search_path=${t.schema} -c deadlock_timeout=50ms`,
    });
    await session.connect();
    sessions.push(session);
  }
});

afterAll(async () => {
  await Promise.all(sessions.map((session) => session.end()));
});

function shuffled<T>(items: readonly T[], random: (limit: number) => number): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random(left.length), 1));
}

function batchesOf<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function targetsOf(round: string): string[] {
  return Array.from({ length: NUM_TARGETS }, (_, i) => `${round}/target ${i}`);
}

/** Inserts a round: 600 tasks that signal 6 of 200 targets each, some with one try and a deadline; owns the tasks. */
async function ownedRound(round: string, random: (limit: number) => number): Promise<Held[]> {
  const targets = targetsOf(round);
  const edges = Array.from({ length: NUM_TASKS }, () => {
    const some = Array.from({ length: TARGETS_PER_TASK }, () => targets[random(NUM_TARGETS)]);
    return [...new Set(some)];
  });
  const totalOf = (target: string) => edges.filter((some) => some.includes(target)).length;
  await t.pool.query(
    `insert into task (id, action, total_dependencies, max_tries, to_signal_after)
     select id, $3 || ' target', total, 3, null from unnest($1::text[], $2::integer[]) as g (id, total)
     union all
     select $3 || '/task ' || n, $3, 0, 1, array(select jsonb_array_elements_text(targets))
     from jsonb_array_elements($4) with ordinality as e (targets, n)`,
    [targets, targets.map(totalOf), round, JSON.stringify(edges)],
  );
  await t.pool.query(
    `select enqueue_tasks(array(select $1 || '/task ' || n from generate_series(1, $2::integer) n))`,
    [round, NUM_TASKS],
  );
  return own(t.pool, round, NUM_TASKS);
}

async function own(client: pg.Pool | pg.Client, action: string, maxTasks: number): Promise<Held[]> {
  const { rows } = await client.query<Held>(
    `select id, token from own_tasks('me', '{default}', array[$1], $2, '1 hour')`,
    [action, maxTasks],
  );
  return rows;
}

function giveBack(session: pg.Client, batch: readonly Held[], code = 'completed') {
  return session.query('select return_tasks($1, $2, $3)', [
    batch.map(({ id }) => id),
    batch.map(({ token }) => token),
    batch.map(() => code),
  ]);
}

/** Counts an error instead of throwing it, so that one round tells of all. */
async function counting(errors: Errors, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const code = error.code ?? 'none';
    errors[code] = (errors[code] ?? 0) + 1;
  }
}

/** Deals the tasks to 8 sessions, which return them in batches, all at once. */
async function returnAll(
  held: readonly Held[],
  random: (limit: number) => number,
  errors: Errors,
): Promise<void> {
  const hands = batchesOf(shuffled(held, random), NUM_TASKS / NUM_SESSIONS);
  await Promise.all(
    hands.map(async (hand, i) => {
      for (const batch of batchesOf(hand, BATCH_SIZE)) {
        await counting(errors, () => giveBack(session(i), batch));
      }
    }),
  );
}

function session(i: number): pg.Client {
  const found = sessions[i];
  if (!found) throw new Error(`there is no session ${i}`);
  return found;
}

describe('8 sessions that return 600 tasks which share 200 targets', () => {
  it('never deadlock, a hundred times', { timeout: TIMEOUT_MS }, async () => {
    const errors: Errors = {};
    for (let i = 0; i < 100; i++) {
      const random = randomNumbers(i);
      await returnAll(await ownedRound(`r${i}`, random), random, errors);
    }
    expect(errors).toEqual({});

    const { rows } = await t.pool.query(
      `select count(*)::integer as ready from ready where id like '%/target %'`,
    );
    expect(rows).toEqual([{ ready: 100 * NUM_TARGETS }]);
  });

  it('nor do those with them that extend, report, begin, watch, own, update, run timers, and insert edges to the targets', {
    timeout: TIMEOUT_MS,
  }, async () => {
    t.allow({ signalsMayOutnumberSenders: true });
    const errors: Errors = {};
    for (let i = 0; i < 15; i++) {
      const round = `mixed ${i}`;
      const random = randomNumbers(1_000 + i);
      const held = await ownedRound(round, random);
      const targets = targetsOf(round);
      const state = { isDone: false, count: 0 };
      const meanwhile = (who: number, work: (session: pg.Client) => Promise<unknown>) =>
        whileReturning(state, errors, session(NUM_SESSIONS + who), work);
      const others = [
        meanwhile(0, (own) => extend(own, shuffled(held, random).slice(0, 100))),
        meanwhile(1, (own) =>
          watch(own, shuffled([...targets, ...held.map(({ id }) => id)], random)),
        ),
        meanwhile(2, async (session) => {
          const targetsHeld = await own(session, `${round} target`, 30);
          await giveBack(session, shuffled(targetsHeld, random), 'pending');
        }),
        meanwhile(3, (own) => lapse(own, random(10))),
        meanwhile(4, (own) =>
          insert(own, `${round}/new ${state.count++}`, shuffled(targets, random).slice(0, 40)),
        ),
        meanwhile(5, (own) => begin(own, shuffled(held, random).slice(0, 100))),
        meanwhile(6, (own) =>
          update(own, shuffled(targets, random).slice(0, 10 + random(30)), random),
        ),
        meanwhile(7, (own) => report(own, shuffled(held, random).slice(0, 100))),
      ];
      await returnAll(held, random, errors);
      state.isDone = true;
      await Promise.all(others);
    }
    // Edges to targets that had been started meanwhile, and updates of those, are refused; that is all.
    const { SB003, SB007, ...others } = errors;
    expect(others).toEqual({});
  });
});

async function whileReturning(
  state: { isDone: boolean },
  errors: Errors,
  session: pg.Client,
  work: (session: pg.Client) => Promise<unknown>,
): Promise<void> {
  do await counting(errors, () => work(session));
  while (!state.isDone);
}

function extend(session: pg.Client, held: readonly Held[]) {
  return session.query('select extend_task_deadlines($1, $2, $3)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
    held.map(() => '1 hour'),
  ]);
}

function report(session: pg.Client, held: readonly Held[]) {
  return session.query('select report_progress($1, $2, $3)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
    held.map(() => '{"done": 1}'),
  ]);
}

function begin(session: pg.Client, held: readonly Held[]) {
  return session.query('select begin_tasks($1, $2)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
  ]);
}

function update(session: pg.Client, ids: readonly string[], random: (limit: number) => number) {
  return session.query(
    'select update_tasks($1, array_fill(null::jsonb, $2), null, $3, null, null)',
    [ids, [ids.length], ids.map(() => random(3))],
  );
}

function watch(session: pg.Client, ids: readonly string[]) {
  return session.query(`select count(*) from watch_tasks($1, 'nobody')`, [ids]);
}

/** One time in ten, the leases that are up in half an hour lapse. */
function lapse(session: pg.Client, tenth: number) {
  const at = tenth === 0 ? `clock_timestamp() + '2 hours'` : 'clock_timestamp()';
  return session.query(`select run_timers(${at})`);
}

/** In one transaction, as a client inserts: the rows, then the edges to what is there. */
async function insert(session: pg.Client, id: string, targets: readonly string[]): Promise<void> {
  await session.query('begin');
  try {
    await session.query(`insert into task (id, action, to_signal_after) values ($1, 'new', $2)`, [
      id,
      targets,
    ]);
    await session.query('select enqueue_tasks(array[$1], $2, $3)', [
      id,
      targets,
      targets.map(() => 1),
    ]);
    await session.query('commit');
  } catch (error) {
    await session.query('rollback');
    throw error;
  }
}
