import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { expect, inject, it, onTestFinished } from 'vitest';
import { connect } from '../../src/index.js';
import { inSchema } from '../../src/store/database.js';
import { SCHEMA_VERSION } from '../../src/store/schema-version.js';
import { drain, statuses, task } from '../support/factories.js';
import { expectInvariants } from '../support/invariants.js';

const TOKEN = '00000000-0000-4000-8000-000000000000';

/** What version 1 leaves when it is stopped at work: tasks in every state, and what it keeps beside them. */
const TASKS_OF_VERSION_1 = `
  insert into signalbox.task (id, action, created_at, seq, to_signal_after, total_dependencies,
    due_at, unique_key, notify_channel_after)
  values
    ('ready', 'work', '2026-01-01Z', 1, '{waiting}', 0, null, null, null),
    ('keyed', 'work', '2026-01-01Z', 2, null, 0, null, 'k', null),
    ('unheard', 'work', '2026-01-01Z', 3, null, 0, null, null, repeat('c', 64)),
    ('waiting', 'work', '2026-01-01Z', 4, '{end}', 1, null, null, null),
    ('end', null, '2026-01-01Z', 5, null, 1, null, null, null),
    ('delayed', 'work', '2026-01-01Z', 6, null, 0, '2026-01-02Z', null, null);
  insert into signalbox.task (id, action, created_at, seq, status_code, num_tries, actor_id,
    performance_token, action_deadline, started_at)
  values
    ('owned', 'work', '2026-01-01Z', 7, 'in-progress', 1, 'old', '${TOKEN}', now() + interval '1 hour',
      '2026-01-02Z'),
    ('lapsing', 'work', '2026-01-01Z', 8, 'in-progress', 1, 'old', '${TOKEN}', '2026-01-03Z',
      '2026-01-02Z');
  insert into signalbox.task (id, action, created_at, seq, status_code, started_at, finished_at)
  values
    ('done', 'work', '2026-01-01Z', 9, 'completed', '2026-01-02Z', '2026-01-03Z'),
    ('given-up', 'work', '2026-01-01Z', 10, 'cancelled', null, '2026-01-03Z');
  insert into signalbox.ready (queue, action, priority, seq, id)
  values ('default', 'work', 0, 1, 'ready'), ('default', 'work', 0, 2, 'keyed'),
    ('default', 'work', 0, 3, 'unheard');
  insert into signalbox.timer (due, kind, ids)
  values ('2026-01-02Z', 'start', '{delayed}'), ('2026-01-03Z', 'lease', '{lapsing}'),
    (now() + interval '1 hour', 'lease', '{owned}');
  insert into signalbox.unique_key (key, task_id) values ('k', 'keyed');
  select setval('signalbox.ready_seq', 10);`;

/** All that is defined in a schema, a line each, less the schema's name. */
const DEFINITIONS = `
  with relation as (select * from pg_class c where c.relnamespace = $1::regnamespace),
  type as (select * from pg_type t where t.typnamespace = $1::regnamespace)
  select format('%s %s %s', c.relkind, c.relname, c.reloptions) from relation c
  union all
  select format('column %s.%s %s collate %s not null %s identity %s default %s', c.relname, a.attname,
    format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation, a.attnotnull, a.attidentity,
    pg_get_expr(d.adbin, d.adrelid))
  from relation c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relkind = 'r'
  union all
  select format('attribute %s.%s %s %s', c.relname, a.attnum, a.attname,
    format_type(a.atttypid, a.atttypmod))
  from relation c join pg_attribute a on a.attrelid = c.oid where c.relkind = 'c'
  union all
  select format('constraint %s: %s %s', o.conrelid::regclass, o.conname, pg_get_constraintdef(o.oid))
  from pg_constraint o where o.connamespace = $1::regnamespace
  union all
  select pg_get_indexdef(c.oid) from relation c where c.relkind = 'i'
  union all
  select format('label %s: %s', t.typname,
    (select array_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
  from type t where t.typtype = 'e'
  union all
  select format('sequence %s %s', s.seqrelid::regclass, row(s.seqtypid::regtype, s.seqstart,
    s.seqincrement, s.seqmin, s.seqmax, s.seqcycle))
  from pg_sequence s join relation c on c.oid = s.seqrelid
  union all
  select format('comment on %s.%s: %s', c.relname, a.attname, d.description)
  from pg_description d join relation c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
  left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
  union all
  select format('comment on %s: %s', t.typname, d.description)
  from pg_description d join type t on t.oid = d.objoid and d.classoid = 'pg_type'::regclass
  union all
  select format('comment on schema: %s', obj_description($1::regnamespace, 'pg_namespace'))
  union all
  select format('transition %s', t) from signalbox.transition t
  union all
  select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = $1::regnamespace`;

/** A box on a schema of its own, empty or as version 1 leaves it; dropped after the test. */
async function boxOn(origin: 'nothing' | 'version 1') {
  const connectionString = inject('connectionString');
  const schema = `test_${randomBytes(6).toString('hex')}`;
  const box = await connect({ connectionString, schema });
  const pool = new pg.Pool({ connectionString, max: 1 });
  onTestFinished(async () => {
    await box.close();
    await pool.query(`drop schema ${schema} cascade`);
    await pool.end();
  });
  if (origin === 'version 1') {
    const sql = await readFile(new URL('../support/schema-v1.sql', import.meta.url), 'utf8');
    await pool.query(inSchema(sql + TASKS_OF_VERSION_1, schema));
  }
  const report = await box.migrate();
  const definitions = async () => {
    const { rows } = await pool.query<[string]>({
      text: inSchema(DEFINITIONS, schema),
      values: [schema],
      rowMode: 'array',
    });
    const prefix = new RegExp(`"?${schema}"?\\.`, 'g');
    return rows.map(([line]) => line.replace(prefix, '')).sort();
  };
  return { box, pool, schema, report, definitions };
}

it('an upgrade from version 1 leaves the schema that an installation makes', async () => {
  const [upgraded, installed] = [await boxOn('version 1'), await boxOn('nothing')];
  expect(upgraded.report).toMatchObject({ fromVersion: 1, toVersion: SCHEMA_VERSION });
  expect(await upgraded.definitions()).toEqual(await installed.definitions());
});

it('an upgrade from version 1 keeps its tasks: each is seen to its end', async () => {
  const { box, pool, schema } = await boxOn('version 1');
  await expectInvariants(pool, schema);
  const second = { ...task('second'), uniqueKey: 'k' };
  expect(await box.insertUnique(second)).toEqual({ inserted: false, id: 'keyed' });

  const held = { id: 'owned', token: TOKEN };
  expect(await box.extendTaskDeadlines([held], 60_000)).toEqual(['owned']);
  const [report] = await box.returnTasks([{ ...held, statusCode: 'completed' }]);
  expect(report).toMatchObject({ ok: true });
  const ids = ['ready', 'keyed', 'unheard', 'delayed', 'lapsing', 'waiting'];
  expect(await drain(box)).toEqual(ids);
  expect(await statuses(box)).toEqual({
    ...Object.fromEntries([...ids, 'owned', 'end', 'done'].map((id) => [id, 'completed'])),
    'given-up': 'cancelled',
  });
  expect(await box.insertUnique(second)).toEqual({ inserted: true, id: 'second' });
  await expectInvariants(pool, schema);
});

it('an upgrade from version 1 takes the last that is known of a task for its last change', async () => {
  const { box } = await boxOn('version 1');
  const updatedAt = async (id: string) => (await box.getTask(id))?.updatedAt;
  expect(await updatedAt('done')).toEqual(new Date('2026-01-03T00:00Z'));
  expect(await updatedAt('owned')).toEqual(new Date('2026-01-02T00:00Z'));
  expect(await updatedAt('ready')).toEqual(new Date('2026-01-01T00:00Z'));
});
