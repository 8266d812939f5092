// Map and reduce over text: each file of docs/ is an item, its words are counted, and the counts are joined.
// Items are tried again one by one, eight run at once, and a tenth of them may fail before the map has failed.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { connect, graph } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

const DOCS = new URL('../docs/', import.meta.url);

function countWords(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of text.toLowerCase().match(/[a-z]{5,}/g) ?? [])
    counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

const g = graph('words');
const files = g.task('files', {
  run: async () => [...(await readdir(DOCS)).filter((name) => name.endsWith('.md')), 'missing.md'],
});
const counts = g.map('counts', {
  over: files,
  retries: 2,
  retry: { delayMs: 10, factor: 2, jitter: 0.2 },
  concurrency: 8,
  failAfter: { ratio: 0.1 },
  run: async ({ item, attempt }) => {
    // A disk that is busy at first: this item alone is tried again.
    if (item === 'graphs.md' && attempt === 1) throw new Error('the disk is busy');
    return countWords(await readFile(new URL(item, DOCS), 'utf8'));
  },
});
const top = g.task('top', {
  after: { counts },
  run: async ({ deps }) => {
    const total = new Map<string, number>();
    for await (const file of deps.counts) {
      for (const [word, count] of Object.entries(file))
        total.set(word, (total.get(word) ?? 0) + count);
    }
    return [...total].sort(([, a], [, b]) => b - a).slice(0, 10);
  },
});
const words = g.outputs({ top, counts });

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();
await using worker = box.worker([words], { workers: 20 });
await worker.start();

const run = await box.start(words);
const result = await run.result();
const nodes = await run.nodes();
const items = nodes.find(({ node }) => node === 'counts')?.items;
assert.equal(items?.aborted, 1);
assert.equal(items.completed, result.counts.count);
assert.equal(result.top.length, 10);
for (const [word, count] of result.top) console.log(String(count).padStart(5), word);
console.log(`${items.completed} files were counted, ${items.aborted} could not be read`);
