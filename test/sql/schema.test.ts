import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { useSqlBox } from './sql-box.js';

const SQL_DIR = new URL('../../sql/', import.meta.url);

const box = useSqlBox();

/** The columns of task that no event changes; update_tasks may change body, priority and start_after. */
const FIXED_COLUMNS = [
  'id',
  'action',
  'queue',
  'priority',
  'run_when',
  'total_is_given',
  'body',
  'to_signal_after',
  'start_after',
  'max_tries',
  'retry_delay',
  'retry_factor',
  'retry_max_delay',
  'retry_jitter',
  'max_duration',
  'unique_key',
  'unique_until_started',
  'unique_for',
  'limit_key',
  'fair_key',
  'notify_channel_after',
  'created_at',
];

it('every table, column and type has a comment', async () => {
  const uncommented = await box.values(
    `select c.relname from pg_class c
     where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'v', 'S')
       and obj_description(c.oid, 'pg_class') is null
     union all
     select c.relname || '.' || a.attname
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'v') and a.attnum > 0
       and not a.attisdropped and col_description(c.oid, a.attnum) is null
     union all
     select t.typname from pg_type t
     where t.typnamespace = $1::regnamespace and t.typtype = 'e'
       and obj_description(t.oid, 'pg_type') is null`,
    [box.test.schema],
  );
  expect(uncommented).toEqual([]);
});

it('every file of sql/schema and sql/functions is installed, once', async () => {
  const install = await readFile(new URL('install.sql', SQL_DIR), 'utf8');
  const installed = Array.from(install.matchAll(/^\\ir (\S+)$/gm), ([, file]) => file);
  const files: string[] = [];
  for (const dir of ['schema', 'functions']) {
    const names = await readdir(new URL(dir, SQL_DIR));
    files.push(...names.map((name) => `${dir}/${name}`));
  }
  expect(installed.sort()).toEqual([...files, 'version.sql'].sort());
});

it('every file of sql/functions is named after a function that it creates', async () => {
  const wrong: string[] = [];
  for (const file of await readdir(new URL('functions', SQL_DIR))) {
    const sql = await readFile(new URL(`functions/${file}`, SQL_DIR), 'utf8');
    const created = Array.from(
      sql.matchAll(/^create or replace function signalbox\.(\w+)\(/gm),
      ([, name]) => `${name}.sql`,
    );
    if (!created.includes(file)) wrong.push(file);
  }
  expect(wrong).toEqual([]);
});

it('the only index of task is its primary key', async () => {
  const indexes = await box.values(
    `select i.indexrelid::regclass::text from pg_index i where i.indrelid = 'task'::regclass`,
  );
  expect(indexes).toEqual(['task_pkey']);
});

it('no index of task mentions a column that moves, not even in a predicate', async () => {
  const moving = await box.values(
    `select a.attname from pg_attribute a
     where a.attrelid = 'task'::regclass and a.attnum > 0 and not a.attisdropped
       and not a.attname = any ($1)`,
    [FIXED_COLUMNS],
  );
  expect(moving).toContain('status_code');
  const definitions = await box.values(
    `select pg_get_indexdef(i.indexrelid) from pg_index i where i.indrelid = 'task'::regclass`,
  );
  const mentioned = moving.filter((column) =>
    definitions.some((definition) => new RegExp(`\\b${column}\\b`).test(String(definition))),
  );
  expect(mentioned).toEqual([]);
});

it('a page of task is filled to 30 per cent, which leaves its rows room to change in place', async () => {
  expect(await box.value(`select reloptions from pg_class where oid = 'task'::regclass`)).toContain(
    'fillfactor=30',
  );
});

it('owning and returning a task are HOT updates', async () => {
  // Three versions of so small a body fit a page that is filled to 30 %, even where nothing can be pruned.
  const session = await box.session();
  await session.query(
    `insert into task (id, action, body)
     select n::text, 'work', to_jsonb(repeat('x', 200)) from generate_series(1, 100) n`,
  );
  await session.query('select enqueue_tasks(array(select id from task))');
  await session.query(
    `with owned as (select id, token from own_tasks('me', '{default}', '{work}', 100, '1 hour'))
     select return_tasks(array_agg(id), array_agg(token), array_agg('completed'::status_code))
     from owned`,
  );
  await session.query('select pg_stat_force_next_flush()');
  const { rows } = await session.query(
    `select n_tup_upd::integer as updates, n_tup_hot_upd::integer as hot
     from pg_stat_user_tables where relid = 'task'::regclass`,
  );
  expect(rows).toEqual([{ updates: 200, hot: 200 }]);
});

it('no function but the clock and helpers that only reckon is in SQL: verbs are plpgsql', async () => {
  const others = await box.values(
    `select p.proname from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace = $1::regnamespace and l.lanname <> 'plpgsql'
       and not (l.lanname = 'sql' and (p.provolatile = 'i' or p.proname = 'now'))`,
    [box.test.schema],
  );
  expect(others).toEqual([]);
});

it('no function runs dynamic SQL', async () => {
  const dynamic = await box.values(
    `select p.proname from pg_proc p
     where p.pronamespace = $1::regnamespace and p.prosrc ~* '\\yexecute\\y'`,
    [box.test.schema],
  );
  expect(dynamic).toEqual([]);
});
