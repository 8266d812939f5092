import { beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { drain, giveBack, milestone, own, range, task } from '../support/factories.js';
import { planWatchingPool } from '../support/plan-work.js';
import { useTestBox } from '../support/test-box.js';

/*
 * What VACUUM leaves behind of a table whose rows have all been deleted, or belong to a transaction under way: it has
 * pages, and no rows. Until it is analyzed again the planner takes it for one row, however many are inserted. An insert of
 * 400,000 tasks then ran for more than ten minutes: it read the whole table once for each of them.
 */
const t = useTestBox();
const N = 1_000;
const IDS = range(N).map((i) => `${i}`);
const HOUR_MS = 3_600_000;

beforeAll(async () => {
  const { rows } = await t.pool.query<{ table: string }>(
    `select format('%I.%I', schemaname, tablename) as table from pg_tables where schemaname = $1`,
    [t.schema],
  );
  for (const { table } of rows) {
    await t.pool.query(`alter table ${table} set (autovacuum_enabled = off)`);
  }
  await t.pool.query(
    `update pg_class set reltuples = 0, relpages = 1000
     where relkind in ('r', 'i') and relnamespace = $1::regnamespace`,
    [t.schema],
  );
});

it('every verb looks up what it is about, and reads nothing over and over, though tables are said to be empty', async () => {
  const { pool, take } = planWatchingPool(inject('connectionString'));
  onTestFinished(() => pool.end());
  const box = await t.another({ pool });
  const tooMuch: object[] = [];
  const step = async <T>(verb: string, work: () => Promise<T>): Promise<T> => {
    take();
    const result = await work();
    const plans = take();
    expect(plans, verb).not.toEqual([]);
    tooMuch.push(...plans.filter(({ rows }) => rows > 10 * N).map((plan) => ({ verb, ...plan })));
    return result;
  };
  const all = { maxTasks: N };
  const tasks = (more: (id: string) => object = () => ({})) => IDS.map((id) => task(id, more(id)));

  const plain = box.withPrefix('plain');
  await step('insert', () => plain.insertTasks(tasks()));
  const due = box.withPrefix('due');
  const past = new Date(Date.now() - HOUR_MS);
  await step('insert, due', () => due.insertTasks(tasks(() => ({ startAfter: past }))));
  const later = box.withPrefix('later');
  const future = new Date(Date.now() + HOUR_MS);
  await step('insert, delayed', () => later.insertTasks(tasks(() => ({ startAfter: future }))));
  const unique = box.withPrefix('unique');
  await step('insert, unique', () => unique.insertTasks(tasks((id) => ({ uniqueKey: id }))));
  const limited = box.withPrefix('limited');
  await limited.setLimits('key', { limit: N });
  await step('insert, limited', () => limited.insertTasks(tasks(() => ({ limitKey: 'key' }))));
  const edges = box.withPrefix('edges');
  await step('insert, streamed', () =>
    edges.insertTasks(
      (function* () {
        for (const id of IDS) yield task(`to${id}`);
        for (const id of IDS) yield task(id, { toSignalAfter: [`to${id}`] });
      })(),
    ),
  );
  await step('insert, edges to what is there', () =>
    edges.insertTasks(IDS.map((id) => task(`more${id}`, { toSignalAfter: [`to${id}`] }))),
  );

  await step('update', () => plain.updateTasks(IDS.map((id) => ({ id, priority: 1 }))));
  await step('get', () => plain.getTasks(IDS));
  await step('outcomes', () => plain.getOutcomes(IDS));
  await step('count', () => plain.countTasks());
  await step('list', async () => {
    for await (const { id } of plain.listTasks()) expect(IDS).toContain(id);
  });
  await step('why', () => edges.why('to1'));
  let owned = await step('own', () => own(plain, { ...all, maxDurationMs: HOUR_MS }));
  await step('begin', () => plain.beginTasks(owned));
  await step('extend', () => plain.extendTaskDeadlines(owned, HOUR_MS));
  await step('report', () =>
    plain.reportProgress(owned.map(({ id, token }) => ({ id, token, progress: { done: 1 } }))),
  );
  await step('return, failed', () => giveBack(plain, owned, { statusCode: 'pending' }));
  owned = await own(plain, all);
  await step('return, snoozed', () =>
    giveBack(plain, owned, { statusCode: 'pending', startAfter: past }),
  );
  owned = await own(plain, all);
  await step('return, aborted', () => giveBack(plain, owned, { statusCode: 'aborted' }));
  await step('rerun', () => plain.rerunTasks(IDS));
  expect(await step('drain', () => drain(plain, all))).toHaveLength(N);
  expect(await step('drain, edges', () => drain(edges, all))).toHaveLength(3 * N);
  await step('rerun, downstream', () => edges.rerunTasks(IDS, { downstream: true }));
  await step('cancel, downstream', () => edges.cancelTasks(IDS, { downstream: true }));
  await step('delete', () => edges.deleteTasks(IDS));
  await step('drain, unique', () => drain(unique, all));
  await step('drain, limited', () => drain(limited, all));
  await step('start now', () => later.updateTasks(IDS.map((id) => ({ id, startAfter: null }))));
  await step('cancel', () => later.cancelTasks(IDS));

  const gates = box.withPrefix('gates');
  await gates.insertTasks([
    milestone('root', { totalDependencies: 1, toSignalAfter: IDS }),
    ...IDS.map((id) => milestone(id, { toSignalAfter: ['end'] })),
    milestone('end'),
  ]);
  await step('signal, milestones', () => gates.signalTasks(['root']));
  await step('wait', () => gates.waitFor([...IDS, 'end']));
  await step('purge', () => due.purgeTasks({ statusCodes: ['pending'] }));
  await step('clean', () => box.cleanTasks({ minAgeMs: 0 }));

  expect(tooMuch).toEqual([]);
});
