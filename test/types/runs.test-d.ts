// Never run: what must compile, and what must not, when runs are started.
import { graph, type Run, type Signalbox, scheduledRun } from '../../src/index.js';

declare const box: Signalbox;

const g = graph<{ n: number }>('sum');
const sum = g.outputs({ sum: g.task('sum', { run: ({ input }) => input.n }) });
const h = graph('tick');
const tick = h.outputs({ tick: h.task('tick', { run: () => 'tick' }) });

export const started: Promise<Run<{ readonly sum: number }>> = box.start(sum, { n: 1 });
export const withOptions = box.withPrefix('a').start(sum, { n: 1 }, { runId: '1' });

// @ts-expect-error: the input is missing
box.start(sum);
// @ts-expect-error: it is of another type, and this line says so, not that of the graph
box.start(sum, { n: '1' });
// @ts-expect-error: there is no such option
box.start(sum, { n: 1 }, { id: '1' });

export const withoutInput: Promise<Run<{ readonly tick: string }>> = box.start(tick);
export const withOptionsAlone = box.start(tick, undefined, { runId: '1' });
// @ts-expect-error: it takes none
box.start(tick, { n: 1 });

export const tasks = [scheduledRun(tick), scheduledRun(sum, { n: 1 }, { priority: 1 })];
// @ts-expect-error: the input is missing
scheduledRun(sum);
