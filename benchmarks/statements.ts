import type pg from 'pg';

export interface StatementCost {
  readonly query: string;
  readonly isTopLevel: boolean;
  readonly calls: number;
  readonly rows: number;
  readonly planMs: number;
  readonly executionMs: number;
  readonly walBytes: number;
}

/** What counts: statements that clients send, or those that functions run in turn as well, and their planning. */
type Depth = 'top' | 'all';

/** The connection string with which pg_stat_statements counts what its connections do; asks for a superuser. */
export function tracked(connectionString: string, depth: Depth): string {
  const settings = [`-c pg_stat_statements.track=${depth}`];
  if (depth === 'all') settings.push('-c pg_stat_statements.track_planning=on');
  const separator = connectionString.includes('?') ? '&' : '?';
  return `${connectionString}${separator}options=${encodeURIComponent(settings.join(' '))}`;
}

/** Forgets what was counted. Rejects where the extension is not loaded. */
export async function resetStatements(probe: pg.Client): Promise<void> {
  await requireExtension(probe);
  await probe.query('select pg_stat_statements_reset()');
}

/** What was counted since the reset, in this database, the dearest first. */
export async function readStatements(probe: pg.Client): Promise<StatementCost[]> {
  const { rows } = await probe.query<{
    query: string;
    toplevel: boolean;
    calls: string;
    rows: string;
    plan_ms: number;
    execution_ms: number;
    wal_bytes: string;
  }>(
    `select s.query, s.toplevel, s.calls, s.rows, s.total_plan_time as plan_ms,
       s.total_exec_time as execution_ms, s.wal_bytes
     from pg_stat_statements s join pg_database d on d.oid = s.dbid
     where d.datname = current_database()
     order by s.total_exec_time desc`,
  );
  return rows.map((row) => ({
    query: row.query.replace(/\s+/g, ' ').trim(),
    isTopLevel: row.toplevel,
    calls: Number(row.calls),
    rows: Number(row.rows),
    planMs: row.plan_ms,
    executionMs: row.execution_ms,
    walBytes: Number(row.wal_bytes),
  }));
}

async function requireExtension(probe: pg.Client): Promise<void> {
  const { rows } = await probe.query<{ libraries: string }>(
    `select current_setting('shared_preload_libraries') as libraries`,
  );
  const libraries = rows[0]?.libraries ?? '';
  if (!libraries.includes('pg_stat_statements')) {
    throw new Error(
      `The server's shared_preload_libraries is '${libraries}'; add pg_stat_statements and restart it, or leave --database-url out.`,
    );
  }
  await probe.query('create extension if not exists pg_stat_statements');
}
