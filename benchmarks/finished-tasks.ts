import { onServer } from './box.js';

const PAGE_SIZE = 250_000;

/**
 * Puts tasks that have ended into the tables, by SQL and in transactions of 250,000: performing ten million would take
 * minutes. They look as if performed, but for the space that their updates would have left; then the tables are analyzed.
 */
export async function addFinishedTasks(
  place: { readonly connectionString: string; readonly schema: string },
  count: number,
): Promise<void> {
  await onServer(place.connectionString, async (client) => {
    for (let from = 1; from <= count; from += PAGE_SIZE) {
      await client.query(
        `insert into ${place.schema}.task
           (id, action, body, status_code, num_tries, actor_id, started_at, finished_at)
         select 'finished/' || n || '/task', 'work', $3::jsonb, 'completed', 1, 'bench', now(), now()
         from generate_series($1::integer, $2::integer) as n`,
        [from, Math.min(from + PAGE_SIZE - 1, count), JSON.stringify({ part: from })],
      );
    }
    await client.query(`vacuum analyze ${place.schema}.task`);
  });
}
