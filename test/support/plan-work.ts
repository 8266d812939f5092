import pg from 'pg';

/** Part of a node of EXPLAIN's JSON. */
interface PlanNode {
  readonly 'Actual Loops': number;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** A statement, within a function or not, and how many rows that node of its plan went over which went over most. */
export interface PlanWork {
  readonly statement: string;
  readonly rows: number;
}

const SETTINGS = [
  'session_preload_libraries=auto_explain',
  'auto_explain.log_min_duration=0',
  'auto_explain.log_analyze=on',
  'auto_explain.log_timing=off',
  'auto_explain.log_nested_statements=on',
  'auto_explain.log_format=json',
  'client_min_messages=log',
];

/** A pool whose server tells the plan of every statement; `take` gives those since it was called last. The caller ends it. */
export function planWatchingPool(connectionString: string): {
  readonly pool: pg.Pool;
  readonly take: () => PlanWork[];
} {
  let seen: PlanWork[] = [];
  const options = SETTINGS.map((setting) => `-c ${setting}`).join(' ');
  const pool = new pg.Pool({ connectionString, options, max: 4 });
  pool.on('connect', (client) => {
    client.on('notice', ({ message = '' }) => {
      const json = message.split('plan:\n')[1];
      if (json === undefined) return;
      const { Plan: plan, 'Query Text': statement } = JSON.parse(json);
      seen.push({ statement, rows: mostRows(plan) });
    });
  });
  return {
    pool,
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
  };
}

function mostRows(node: PlanNode): number {
  const removed =
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0);
  const rows = node['Actual Loops'] * (node['Actual Rows'] + removed);
  return Math.max(rows, ...(node.Plans ?? []).map(mostRows));
}
