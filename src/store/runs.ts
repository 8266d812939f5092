import type { Run } from './database.js';
import { toRunPart, toRunRow } from './rows.js';
import { toCodes, toIdRange } from './task-filter.js';
import type { RunFilter, RunPart, RunRow } from './task-store.js';

const DEFAULT_LIMIT = 100;

export async function listRuns(
  run: Run,
  { idPrefix = '', statusCodes, limit = DEFAULT_LIMIT }: RunFilter,
): Promise<RunRow[]> {
  const { from, end } = toIdRange(idPrefix);
  const rows = await run(
    `select id, action, status_code, status, date_part('epoch', created_at) * 1000,
       date_part('epoch', finished_at) * 1000
     from signalbox.list_runs($1, $2, $3, $4)`,
    [from, end, limit, toCodes(statusCodes)],
  );
  return rows.map(toRunRow);
}

export async function listRunParts(run: Run, id: string): Promise<RunPart[]> {
  const rows = await run(
    `select id, action, status_code, status, date_part('epoch', started_at) * 1000,
       date_part('epoch', finished_at) * 1000, num_items
     from signalbox.list_run_parts($1)`,
    [id],
  );
  return rows.map(toRunPart);
}
