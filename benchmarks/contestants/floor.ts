import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Contestant, OnTask, Timing, Workload } from '../contestant.js';
import { measure } from '../span.js';

const CONNECTIONS = 3;
const BATCH_SIZE = 500;

/**
 * The bare floor (floor.sql): own and return in batches of 500 over three connections, an empty async handler, and
 * nothing else. Rows go in by COPY with their totals counted beforehand and no check made.
 */
export async function openFloor(connectionString: string): Promise<Contestant> {
  const pool = new pg.Pool({ connectionString, max: CONNECTIONS });
  pool.on('error', () => {}); // lost while idle: the server stops
  const schema = await readFile(new URL('floor.sql', import.meta.url), 'utf8');
  return {
    name: 'bare floor',
    async run(workload, size, onTask): Promise<Timing> {
      await pool.query(`drop schema if exists floor cascade; create schema floor; ${schema}`);
      const insertSpan = await measure(() => insert(pool, workload));
      const performSpan = await measure(() => performAll(pool, size, onTask));
      await pool.query('drop schema floor cascade');
      return { insert: insertSpan, perform: performSpan };
    },
    async close() {
      await pool.query('drop schema if exists floor cascade');
      await pool.end();
    },
  };
}

async function insert(pool: pg.Pool, workload: Workload): Promise<void> {
  const totals = new Map<string, number>();
  for (const { toSignalAfter = [] } of workload()) {
    for (const target of toSignalAfter) totals.set(target, (totals.get(target) ?? 0) + 1);
  }
  const client = await pool.connect();
  try {
    const copy = copyFrom(
      'copy floor.task (id, action, body, to_signal_after, total_dependencies) from stdin',
    );
    await pipeline(Readable.from(chunks(workload, totals)), client.query(copy));
    await client.query(`insert into floor.ready (action, id)
      select action, id from floor.task where total_dependencies = 0`);
  } finally {
    client.release();
  }
}

function* chunks(workload: Workload, totals: ReadonlyMap<string, number>): Generator<string> {
  let chunk = '';
  for (const { id, action, body, toSignalAfter } of workload()) {
    const targets = toSignalAfter ? `{${toSignalAfter.join(',')}}` : '\\N';
    chunk += `${id}\t${action}\t${JSON.stringify(body)}\t${targets}\t${totals.get(id) ?? 0}\n`;
    if (chunk.length > 60_000) {
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}

async function performAll(pool: pg.Pool, size: number, onTask: OnTask = () => {}): Promise<void> {
  let performed = 0;
  const perform = async () => {
    while (performed < size) {
      const { rows } = await pool.query<string[]>({
        name: 'floor_own',
        text: 'select id, token, body from floor.own($1, $2, 0)',
        values: ['work', BATCH_SIZE],
        rowMode: 'array',
      });
      if (rows.length === 0) continue;
      const results = await Promise.all(
        rows.map(async () => {
          onTask();
          return null;
        }),
      );
      await pool.query({
        name: 'floor_give_back',
        text: 'select floor.give_back($1, $2, $3)',
        values: [rows.map(([id]) => id), rows.map(([, token]) => token), results],
      });
      performed += rows.length;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, perform));
}
