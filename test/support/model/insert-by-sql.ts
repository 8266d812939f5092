import type pg from 'pg';
import type { TaskSpec } from './model-task.js';
import { toDate, toInterval } from './times.js';

/** Inserts a batch as a client does: rows first, then enqueue_tasks. Within the transaction open on `client`. */
export async function insertBySql(
  client: pg.ClientBase,
  specs: readonly TaskSpec[],
  now: Date,
): Promise<void> {
  const listed = specs.flatMap(({ targets }) => targets);
  const countOf = (id: string) => listed.filter((target) => target === id).length;
  await client.query(
    `insert into task (id, action, queue, priority, run_when, total_is_given, total_dependencies,
       to_signal_after, start_after, due_at, max_tries, retry_delay, retry_factor, retry_max_delay,
       max_duration, unique_key, retry_jitter, unique_until_started, unique_for, limit_key,
       fair_key)
     select id, action, queue, priority, run_when, total_is_given, total, targets, start_after,
       start_after, max_tries, retry_delay, retry_factor, retry_max_delay, max_duration, unique_key,
       retry_jitter, unique_until_started, unique_for, limit_key,
       fair_key
     from jsonb_to_recordset($1) as s (id text, action text, queue text, priority smallint,
       run_when run_when, total_is_given boolean, total integer, targets text[],
       start_after timestamptz, max_tries integer, retry_delay interval,
       retry_factor double precision, retry_max_delay interval, max_duration interval,
       unique_key text, retry_jitter real, unique_until_started boolean, unique_for interval,
       limit_key text, fair_key text)`,
    [JSON.stringify(specs.map((spec) => toRow(spec, countOf(spec.id))))],
  );
  const batch = new Set(specs.map(({ id }) => id));
  const outside = [...new Set(listed)].filter((id) => !batch.has(id)).sort();
  await client.query('select enqueue_tasks($1, $2, $3, p_now => $4)', [
    [...batch],
    outside,
    outside.map(countOf),
    now,
  ]);
}

function toRow(spec: TaskSpec, computedTotal: number): Record<string, unknown> {
  return {
    id: spec.id,
    action: spec.action,
    queue: spec.queue,
    priority: spec.priority,
    run_when: spec.runWhen,
    total_is_given: spec.givenTotal !== null,
    total: spec.givenTotal ?? computedTotal,
    targets: spec.targets,
    start_after: toDate(spec.startAfterMs),
    max_tries: spec.maxTries,
    retry_delay: toInterval(spec.retryDelayMs),
    retry_factor: spec.retryFactor,
    retry_max_delay: toInterval(spec.retryMaxDelayMs),
    max_duration: toInterval(spec.maxDurationMs),
    unique_key: spec.uniqueKey,
    retry_jitter: spec.retryJitter ?? null,
    unique_until_started: spec.uniqueUntilStarted ?? false,
    unique_for: toInterval(spec.uniqueForMs ?? null),
    limit_key: spec.limitKey ?? null,
    fair_key: spec.fairKey ?? null,
  };
}
