import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const HEAP_MB = 256;
const SCRIPT = fileURLToPath(new URL('../support/insert-a-million.ts', import.meta.url));

test(`a million tasks from a generator are inserted with a heap of ${HEAP_MB} MB`, async () => {
  const options = [`--max-old-space-size=${HEAP_MB}`, '--import', 'tsx', SCRIPT];
  const given = [inject('connectionString'), t.schema];
  const { stdout } = await promisify(execFile)(process.execPath, [...options, ...given]);
  const report = JSON.parse(stdout);
  expect(report.inserted).toBe(1_000_000);
  expect(report.maxRssBytes).toBeLessThan(450e6);

  const { rows } = await t.pool.query(
    `select (select count(*)::int from task) as tasks, (select count(*)::int from ready) as ready,
       (select sum(total_dependencies)::int from task) as signals`,
  );
  expect(rows).toEqual([{ tasks: 1_000_000, ready: 100_000, signals: 1_600_000 }]);
  // Checked here by counts: the invariants' queries look at every pair of senders and targets.
  await t.pool.query('truncate task, ready, timer');
}, 120_000);
