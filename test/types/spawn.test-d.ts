// Checked by `tsc -p test`, never run: each line must compile, or must not where `@ts-expect-error` stands before it.
import { expectTypeOf } from 'vitest';
import {
  type Graph,
  graph,
  handledBy,
  type Node,
  type OutputOf,
  type Run,
  type Signalbox,
  type SpawnedRun,
  type TaskContext,
} from '../../src/index.js';

declare const box: Signalbox;
declare const crawlId: SpawnedRun['id'];
const pages = graph<{ url: string }>('page');
const page = pages.outputs({ text: pages.task('text', { run: ({ input }) => input.url }) });
const plain = graph('plain').outputs({});

const g = graph<{ depth: number }>('crawler');
const crawl = g.task('crawl', {
  spawns: [page, plain],
  run: async ({ spawn }) => {
    const child = await spawn(page, { url: '/' }, { key: '/', priority: 1, queue: 'slow' });
    expectTypeOf(child).toEqualTypeOf<SpawnedRun>();
    await spawn(plain);
    await spawn(plain, undefined, { key: 'one' });
    // @ts-expect-error the graph takes an input
    await spawn(page);
    // @ts-expect-error of the wrong type
    await spawn(page, { url: 1 });
    // @ts-expect-error the graph takes none
    await spawn(plain, { url: '/' });
    // @ts-expect-error a typo
    await spawn(page, { url: '/' }, { keys: '/' });
    // @ts-expect-error a builder is no graph yet
    await spawn(pages, { url: '/' });
    // What spawn gives may be returned.
    return { child, many: [child.id] };
  },
});
expectTypeOf(crawl).toEqualTypeOf<Node<{ child: SpawnedRun; many: string[] }>>();
expectTypeOf(box.run(page, crawlId)).toEqualTypeOf<Run<OutputOf<typeof page>>>();

// A graph that spawns itself says its own type.
const again = g.task('again', {
  after: { crawl },
  spawns: () => [crawler, page],
  run: async ({ input: { depth }, deps, spawn }) => {
    await spawn(page, { url: deps.crawl.child.id });
    return depth > 0 ? (await spawn(crawler, { depth: depth - 1 })).id : null;
  },
});
g.map('each', {
  over: g.task('urls', { run: () => ['/'] }),
  spawns: [page],
  run: async ({ item, spawn }) => (await spawn(page, { url: item })).id,
});
// @ts-expect-error graphs, not their names
g.task('names', { spawns: ['page'], run: () => 1 });
// @ts-expect-error in a list
g.task('bare', { spawns: page, run: () => 1 });
// @ts-expect-error a sleep does nothing
g.sleep('pause', 5, { spawns: [page] });
const crawler: Graph<{ depth: number }, { again: string | null }> = g.outputs({ again });

// A handler that lives apart.
const visit = async ({ spawn }: Pick<TaskContext<unknown, unknown>, 'spawn'>) =>
  (await spawn(page, { url: '/' })).id;
const h = graph('apart');
const visited = h.task('visit', { spawns: [page], action: handledBy<typeof visit>('visit') });
expectTypeOf(visited).toEqualTypeOf<Node<string>>();
