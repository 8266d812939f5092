import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RowSpool, type RowSpoolOptions } from '../../../src/store/row-spool.js';
import { canCountOpenFiles, countOpenFiles } from '../../support/open-files.js';

const BLOCK_BYTES = 1000;
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'row-spool-test-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Rows of 8 to 2,500 bytes, some longer than a block; the first 4 bytes are to be patched. */
const rows = Array.from({ length: 500 }, (_, i) =>
  Buffer.alloc(8 + ((i * 37) % 90) + (i % 50 === 49 ? 2400 : 0), i),
);

async function spoolOf(options: RowSpoolOptions): Promise<RowSpool> {
  const spool = new RowSpool({ blockBytes: BLOCK_BYTES, directory, ...options });
  const scratch = Buffer.alloc(5000);
  for (const row of rows) {
    row.copy(scratch);
    if (!spool.append(scratch, row.length)) await spool.flush();
  }
  return spool;
}

function patch(bytes: Buffer, start: number, row: number): void {
  bytes.writeInt32BE(row * 1000, start);
}

async function collect(spool: RowSpool): Promise<Buffer[]> {
  const blocks: Buffer[] = [];
  for await (const block of spool.blocks(patch)) blocks.push(block);
  return blocks;
}

const expected = Buffer.concat(
  rows.map((row, i) => {
    const patched = Buffer.from(row);
    patch(patched, 0, i);
    return patched;
  }),
);

test.each([
  ['in memory', Number.POSITIVE_INFINITY],
  ['in part on disk', 10 * BLOCK_BYTES],
  ['all on disk', 0],
])(
  'rows kept %s come out in order, patched, in blocks, as often as asked',
  async (_, memoryBytes) => {
    await using spool = await spoolOf({ memoryBytes });
    expect(spool.numRows).toBe(rows.length);
    for (let time = 0; time < 2; time++) {
      const blocks = await collect(spool);
      expect(Buffer.concat(blocks).equals(expected)).toBe(true);
      expect(Math.max(...blocks.map((block) => block.length))).toBeLessThan(2.6 * BLOCK_BYTES);
      expect(blocks.length).toBeLessThan((2.2 * expected.length) / BLOCK_BYTES);
    }
    expect(spool.bytesOnDisk > 0).toBe(memoryBytes < expected.length);
  },
);

test('a spool without rows gives out nothing', async () => {
  await using spool = new RowSpool({ memoryBytes: 0, directory });
  expect(await collect(spool)).toEqual([]);
  expect(spool.bytesOnDisk).toBe(0);
});

test('the file has no name while it is used, and is closed by dispose', async () => {
  const spool = await spoolOf({ memoryBytes: 0 });
  expect(await readdir(directory)).toEqual([]);
  expect(await countOpenFiles(directory)).toBe(canCountOpenFiles ? 1 : 0);
  await spool.dispose();
  await spool.dispose();
  expect(await countOpenFiles(directory)).toBe(0);
});

test('a reader that stops half-way leaves the spool usable and disposable', async () => {
  const spool = await spoolOf({ memoryBytes: 0 });
  for await (const _ of spool.blocks(patch)) break;
  expect(Buffer.concat(await collect(spool)).equals(expected)).toBe(true);
  await spool.dispose();
  expect(await countOpenFiles(directory)).toBe(0);
});

test('reading what has been disposed of fails', async () => {
  const spool = await spoolOf({ memoryBytes: 0 });
  await spool.dispose();
  await expect(collect(spool)).rejects.toThrow('disposed');
});

test('a row appended before a flush that is due is refused', () => {
  const spool = new RowSpool({ memoryBytes: 0, blockBytes: 10, directory });
  expect(spool.append(Buffer.alloc(10), 10)).toBe(true);
  expect(spool.append(Buffer.alloc(10), 10)).toBe(false);
  expect(() => spool.append(Buffer.alloc(10), 10)).toThrow('flush');
});

test('a directory that does not exist is an error that says where and what to do', async () => {
  const missing = join(directory, 'missing');
  const filling = spoolOf({ memoryBytes: 0, directory: missing });
  await expect(filling).rejects.toMatchObject({
    code: 'TEMP_FILE',
    message: expect.stringMatching(/missing.*TMPDIR/),
    cause: { code: 'ENOENT' },
  });
});
