import { readdir, stat } from 'node:fs/promises';
import { connect, graph } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

const g = graph<{ folder: string }>('sizes');
const files = g.task('files', { run: ({ input }) => readdir(input.folder) });
const sizes = g.map('sizes', {
  over: files,
  concurrency: 10,
  run: async ({ input, item }) => (await stat(`${input.folder}/${item}`)).size,
});
const largest = g.task('largest', {
  after: { files, sizes },
  run: async ({ deps }) => {
    const sizes = await deps.sizes.all();
    const bytes = Math.max(...sizes);
    return { name: deps.files[sizes.indexOf(bytes)], bytes };
  },
});
const pipeline = g.outputs({ largest });

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();
await using worker = box.worker([pipeline], { workers: 10 });
await worker.start();

const run = await box.start(pipeline, { folder: 'docs' });
const result = await run.result();
console.log(result.largest);

// What README.md leaves out:
if (!(result.largest.bytes > 1_000 && result.largest.name?.endsWith('.md'))) {
  throw new Error(`${JSON.stringify(result.largest)} is not the largest file of docs/`);
}
