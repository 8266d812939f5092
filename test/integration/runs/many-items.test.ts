import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const HEAP_MB = 200;
const SCRIPT = fileURLToPath(new URL('../../support/map-many-items.ts', import.meta.url));

test(`100,000 results of 1 kB are made and read with a heap of ${HEAP_MB} MB`, async () => {
  const options = [`--max-old-space-size=${HEAP_MB}`, '--import', 'tsx', SCRIPT];
  const given = [inject('connectionString'), t.schema];
  const { stdout } = await promisify(execFile)(process.execPath, [...options, ...given]);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    inside: { bytes: 100_000_000, count: 100_000 },
    inOrder: 100_000,
    counts: { completed: 100_003 },
  });
  expect(report.statusMs).toBeLessThan(2_000);
  // Checked here by counts: the invariants' queries look at every pair of senders and targets.
  await t.pool.query('truncate task, ready, timer');
}, 300_000);
