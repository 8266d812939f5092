// A CSV of orders becomes a JSON file and a chart: parsed, each row enriched by a map, aggregated, written in two ways.
// The input is checked by a zod schema before anything starts, and gives the handlers its type.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import * as echarts from 'echarts';
import { connect, graph } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';
import { z } from 'zod';

const EUROS: Readonly<Record<string, number>> = { EUR: 1, GBP: 1.17, SEK: 0.089, CHF: 1.05 };
const order = z.object({
  date: z.iso.date(),
  quantity: z.coerce.number(),
  price: z.coerce.number(),
  currency: z.string(),
});

async function save(folder: string, name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

function draw(months: readonly { month: string; euros: number }[]): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 640, height: 320 });
  chart.setOption({
    title: { text: 'Sales by month, EUR' },
    xAxis: { type: 'category', data: months.map(({ month }) => month) },
    yAxis: { type: 'value' },
    series: [{ type: 'bar', data: months.map(({ euros }) => euros) }],
  });
  const svg = chart.renderToSVGString();
  chart.dispose(); // else its timers keep the process alive
  return svg;
}

const g = graph('etl', { input: z.object({ csv: z.string(), folder: z.string() }) });
const rows = g.task('rows', {
  output: z.array(order),
  run: async ({ input }) => parse(await readFile(input.csv), { columns: true }),
});
const sales = g.map('sales', {
  over: rows,
  run: ({ item }) => {
    const rate = EUROS[item.currency];
    if (rate === undefined) throw new Error(`no rate for ${item.currency}`);
    return { month: item.date.slice(0, 7), euros: item.quantity * item.price * rate };
  },
});
const months = g.task('months', {
  after: { sales },
  run: async ({ deps }) => {
    const sums: Record<string, number> = {};
    for await (const { month, euros } of deps.sales) sums[month] = (sums[month] ?? 0) + euros;
    return Object.entries(sums).map(([month, euros]) => ({ month, euros: Math.round(euros) }));
  },
});
const json = g.task('json', {
  after: { months },
  run: ({ input, deps }) => save(input.folder, 'months.json', JSON.stringify(deps.months)),
});
const chart = g.task('chart', {
  after: { months },
  run: ({ input, deps }) => save(input.folder, 'months.svg', draw(deps.months)),
});
const etl = g.outputs({ json, chart, months });

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();
await using worker = box.worker([etl], { workers: 50 });
await worker.start();

const csv = fileURLToPath(new URL('data/orders.csv', import.meta.url));
const run = await box.start(etl, { csv, folder: await mkdtemp(join(tmpdir(), 'etl-')) });
const result = await run.result();
const totals: typeof result.months = JSON.parse(await readFile(result.json, 'utf8'));
assert.deepEqual(totals, result.months);
assert.equal(totals.length, 12);
assert.equal(Math.round(totals.reduce((sum, { euros }) => sum + euros, 0) / 100), 108);
assert.ok((await readFile(result.chart, 'utf8')).startsWith('<svg'));
console.table(totals);
console.log((await run.status()).counts.completed, 'nodes and items completed;', result.chart);
