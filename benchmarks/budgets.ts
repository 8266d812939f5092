import pg from 'pg';
import { connect } from 'signalbox';
import { performAll } from './contestants/signalbox.js';
import { diamonds } from './scenarios/workloads.js';

const SIZE = 20_000;
const SCHEMA = 'bench_budgets';

/** What one task may cost, from insert to the end of its return. None of it depends on the machine's speed. */
interface Budget {
  readonly what: string;
  readonly kind: 'at most' | 'at least';
  readonly limit: number;
}

/** A tenth above what was measured on Postgres 18: the figures behind them are printed at every run. */
const BUDGETS = {
  walBytes: { what: 'WAL bytes a task', kind: 'at most', limit: 1_200 },
  statements: { what: 'statements a task', kind: 'at most', limit: 0.006 },
  transactions: { what: 'transactions a task', kind: 'at most', limit: 0.006 },
  updates: { what: 'updates a task', kind: 'at most', limit: 3.2 },
  hotShare: { what: 'HOT share of the updates', kind: 'at least', limit: 0.99 },
  deadTuples: { what: 'dead tuples a task', kind: 'at most', limit: 3.2 },
} as const satisfies Record<string, Budget>;

type Costs = Record<keyof typeof BUDGETS, number>;

/** Runs diamonds of 20,000 tasks and compares what they cost with the budgets. Resolves with whether all hold. */
export async function checkBudgets(connectionString: string): Promise<boolean> {
  const probe = new pg.Client({ connectionString });
  await probe.connect();
  try {
    const costs = await measureCosts(probe, connectionString);
    const lines = Object.entries(BUDGETS).map(([name, budget]) => {
      const cost = Object.entries(costs).find(([key]) => key === name)?.[1] ?? Number.NaN;
      return { isKept: isKept(budget, cost), text: toLine(budget, cost) };
    });
    for (const { text } of lines) console.log(text);
    return lines.every((line) => line.isKept);
  } finally {
    await probe.query(`drop schema if exists ${SCHEMA} cascade`);
    await probe.end();
  }
}

async function measureCosts(probe: pg.Client, connectionString: string): Promise<Costs> {
  const pool = new pg.Pool({ connectionString, max: 4, application_name: SCHEMA });
  pool.on('error', () => {}); // lost while idle: the server stops
  const box = await connect({ pool, connectionString, schema: SCHEMA });
  await probe.query(`drop schema if exists ${SCHEMA} cascade`);
  await box.migrate();
  await probe.query(`alter table ${SCHEMA}.task set (autovacuum_enabled = off);
    alter table ${SCHEMA}.ready set (autovacuum_enabled = off)`);
  let statements = 0;
  pool.on('acquire', () => statements++);
  const before = await readServer(probe);
  await box.insertTasks(diamonds(SIZE));
  await performAll(box, SIZE);
  await box.close();
  await pool.end();
  await flushed(probe);
  const after = await readServer(probe);
  const { updates, hot, dead } = await readTables(probe);
  return {
    walBytes: (after.wal - before.wal) / SIZE,
    statements: statements / SIZE,
    transactions: (after.transactions - before.transactions) / SIZE,
    updates: updates / SIZE,
    hotShare: hot / updates,
    deadTuples: dead / SIZE,
  };
}

/** A backend's statistics are whole when it is gone. */
async function flushed(probe: pg.Client): Promise<void> {
  for (;;) {
    const { rowCount } = await probe.query(
      'select from pg_stat_activity where application_name = $1',
      [SCHEMA],
    );
    if (rowCount === 0) return;
  }
}

async function readServer(probe: pg.Client): Promise<{ wal: number; transactions: number }> {
  const { rows } = await probe.query<{ wal: string; transactions: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as wal, xact_commit as transactions
     from pg_stat_database where datname = current_database()`,
  );
  return { wal: Number(rows[0]?.wal), transactions: Number(rows[0]?.transactions) };
}

async function readTables(
  probe: pg.Client,
): Promise<{ updates: number; hot: number; dead: number }> {
  const { rows } = await probe.query<{ updates: string; hot: string; dead: string }>(
    `select sum(n_tup_upd) filter (where relname = 'task') as updates,
       sum(n_tup_hot_upd) filter (where relname = 'task') as hot, sum(n_dead_tup) as dead
     from pg_stat_user_tables where schemaname = $1`,
    [SCHEMA],
  );
  const [row] = rows;
  return { updates: Number(row?.updates), hot: Number(row?.hot), dead: Number(row?.dead) };
}

function isKept({ kind, limit }: Budget, cost: number): boolean {
  return kind === 'at most' ? cost <= limit : cost >= limit;
}

function toLine(budget: Budget, cost: number): string {
  const { what, kind, limit } = budget;
  const verdict = isKept(budget, cost) ? 'kept' : 'NOT KEPT';
  return `${what}: ${cost.toPrecision(4)}, budget ${kind} ${limit}: ${verdict}`;
}
