import { expect, it, onTestFinished } from 'vitest';
import { graph, TaskNotFoundError } from '../../../src/index.js';
import { rejection } from '../../support/factories.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();

function echo() {
  const g = graph<{ text: string }>('echo');
  return g.outputs({ text: g.task('text', { run: ({ input }) => input.text }) });
}

it('a namespace starts, performs and opens runs of its own, and one within it too', async () => {
  const definition = echo();
  const outer = t.box.withPrefix('outer');
  const inner = outer.withPrefix('inner');
  for (const namespace of [outer, inner]) {
    const worker = namespace.worker([definition], { waitTimeMs: 50 });
    onTestFinished(() => worker.stop({ timeoutMs: 0 }));
    await worker.start();
  }
  await outer.start(definition, { text: 'out' }, { runId: '1' });
  await inner.start(definition, { text: 'in' }, { runId: '1' });
  expect(await outer.run(definition, '1').result({ timeoutMs: 20_000 })).toEqual({ text: 'out' });
  expect(await inner.run(definition, '1').result({ timeoutMs: 20_000 })).toEqual({ text: 'in' });
  expect(await t.box.getTask('outer.inner.echo/1')).toMatchObject({ statusCode: 'completed' });
});

it('a run of a namespace is none outside of it', async () => {
  const definition = echo();
  await t.box.withPrefix('one').start(definition, { text: '' }, { runId: '1' });
  const error = await rejection(t.box.run(definition, '1').status());
  expect(error).toBeInstanceOf(TaskNotFoundError);
});
