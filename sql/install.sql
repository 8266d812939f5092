-- Installs the engine into an empty database: psql -v ON_ERROR_STOP=1 -1 -f sql/install.sql
-- The client's migrate() runs the same files in the same order, read from this list.

\ir schema/01-types.sql
\ir schema/02-tables.sql
\ir schema/03-indexes.sql
\ir schema/04-comments.sql
\ir schema/05-transitions.sql
\ir functions/now.sql
\ir functions/set_limits.sql
\ir functions/sleep_on_lanes.sql
\ir functions/signal_targets.sql
\ir functions/settle_tasks.sql
\ir functions/enqueue_tasks.sql
\ir functions/run_timers.sql
\ir functions/own_tasks.sql
\ir functions/return_tasks.sql
\ir functions/begin_tasks.sql
\ir functions/extend_task_deadlines.sql
\ir functions/watch_tasks.sql
\ir functions/signal_tasks.sql
\ir functions/cancel_tasks.sql
\ir functions/rerun_tasks.sql
\ir functions/delete_tasks.sql
\ir functions/claim_unique_key.sql
\ir functions/list_tasks.sql
\ir functions/get_outcomes.sql
\ir functions/count_tasks.sql
\ir functions/list_attempts.sql
\ir version.sql
