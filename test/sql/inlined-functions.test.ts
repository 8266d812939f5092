import { expect, it } from 'vitest';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/*
 * A function in SQL that Postgres does not inline is started and ended like a query, once for each row: lane_key was
 * not for a while, and took a sixth of the time of putting tasks into their lanes.
 */
it.each([
  ['lane_key(fair_key, limit_key)', 'CASE'],
  ['limit_of_lane(id)', 'CASE'],
  ['may_run(run_when, num_signals, num_failures, num_skipped)', 'CASE'],
  ['outcome(status_code, start_after, num_tries, max_tries)', 'CASE'],
  ['found_by(id, action)', 'AND'],
  ['lane_hash(queue, action, id)', 'hashtextextended'],
])('%s is inlined where it is called for each row', async (call, inside) => {
  const { rows } = await t.pool.query<{ 'QUERY PLAN': string }>(
    `explain (verbose, costs off) select ${t.schema}.${call} from ${t.schema}.task`,
  );
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain(inside);
  expect(plan).not.toContain(call.slice(0, call.indexOf('(')));
});
