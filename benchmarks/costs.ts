import pg from 'pg';
import { connect } from 'signalbox';
import { onServer, untilGone } from './box.js';
import { performAll } from './contestants/signalbox.js';
import { readStatements, resetStatements, tracked } from './statements.js';
import { diamonds } from './workloads/diamonds.js';

const SCHEMA = 'bench_costs';

/** What a task costs, from insert to the end of its return. None of it depends on the machine's speed. */
export interface Costs {
  readonly walBytes: number;
  /** Connections taken from the pool: statements, of which a whole insert counts as one. */
  readonly statements: number;
  readonly transactions: number;
  readonly updates: number;
  readonly hotShare: number;
  /** Left behind with autovacuum switched off. */
  readonly deadTuples: number;
  /** By Node; counted in a run of its own, for counting costs time. It needs pg_stat_statements. */
  readonly rowsParsed: number;
}

/** Costs of each of `size` tasks in diamonds. */
export async function measureCosts(connectionString: string, size: number): Promise<Costs> {
  const costs = await onFreshSchema(connectionString, async (probe) => {
    const before = await readServer(probe);
    const statements = await insertAndPerform(connectionString, size);
    await untilGone(probe, SCHEMA);
    const after = await readServer(probe);
    const { updates, hot, dead } = await readTables(probe);
    return {
      walBytes: (after.wal - before.wal) / size,
      statements: statements / size,
      transactions: (after.transactions - before.transactions) / size,
      updates: updates / size,
      hotShare: hot / updates,
      deadTuples: dead / size,
    };
  });
  return { ...costs, rowsParsed: await countRowsParsed(connectionString, size) };
}

async function countRowsParsed(connectionString: string, size: number): Promise<number> {
  return await onFreshSchema(connectionString, async (probe) => {
    await resetStatements(probe);
    await insertAndPerform(tracked(connectionString, 'top'), size);
    const statements = await readStatements(probe);
    const answered = statements.filter(({ query }) => !query.startsWith('copy'));
    return answered.reduce((sum, { rows }) => sum + rows, 0) / size;
  });
}

async function onFreshSchema<T>(
  connectionString: string,
  work: (probe: pg.Client) => Promise<T>,
): Promise<T> {
  return await onServer(connectionString, async (probe) => {
    const drop = `drop schema if exists ${SCHEMA} cascade`;
    await probe.query(drop);
    try {
      const box = await connect({ connectionString, schema: SCHEMA });
      await box.migrate();
      await box.close();
      await probe.query(`alter table ${SCHEMA}.task set (autovacuum_enabled = off);
        alter table ${SCHEMA}.ready set (autovacuum_enabled = off)`);
      return await work(probe);
    } finally {
      await probe.query(drop);
    }
  });
}

/** Resolves with how often a connection was taken from the pool. */
async function insertAndPerform(connectionString: string, size: number): Promise<number> {
  const pool = new pg.Pool({ connectionString, max: 4, application_name: SCHEMA });
  pool.on('error', () => {}); // lost while idle: the server stops
  let statements = 0;
  pool.on('acquire', () => statements++);
  const box = await connect({ pool, connectionString, schema: SCHEMA });
  await box.insertTasks(diamonds(size));
  await performAll(box, size);
  await box.close();
  await pool.end();
  return statements;
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
