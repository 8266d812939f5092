import { describe, expect, it } from 'vitest';
import { graph, startRun } from '../../../src/index.js';
import { actionPrefix } from '../../../src/run/names.js';
import { eventually, range } from '../../support/factories.js';
import { Gate, startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

describe('why says of', () => {
  it('a node that waits for an event: for a signal from outside', async () => {
    const store = t.namespace();
    const g = graph('asks');
    const approved = g.event('approved');
    const act = g.task('act', { after: { approved }, run: () => 1 });
    const definition = g.outputs({ act });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await store.waitFor('asks/1/approved/~gate', WAIT);
    const payload = {
      id: 'asks/1/approved/~payload',
      reasons: [{ kind: 'outside-signals', missing: 1 }],
    };
    expect(await run.why('approved')).toMatchObject({
      statusCode: 'pending',
      reasons: [{ kind: 'signals', missing: 1, from: [payload.id], roots: [payload] }],
    });
    expect((await run.why('act')).reasons).toMatchObject([
      { kind: 'signals', from: ['asks/1/approved'], roots: [payload] },
    ]);
    expect((await run.why()).reasons).toMatchObject([{ kind: 'signals', roots: [payload] }]);
    await run.cancel();
  });

  it('a node that sleeps: until when', async () => {
    const store = t.namespace();
    const at = new Date(Date.now() + 3_600_000);
    const g = graph('sleeps');
    const pause = g.sleep('pause', () => at);
    const after = g.task('after', { after: { pause }, run: () => 1 });
    const definition = g.outputs({ after });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    const reason = { kind: 'start-time', at };
    await eventually(async () => expect((await run.why('pause')).reasons).toMatchObject([reason]));
    expect((await run.why('after')).reasons).toMatchObject([
      { kind: 'signals', roots: [{ id: `${run.id}/pause`, reasons: [reason] }] },
    ]);
    await run.cancel();
  });

  it('an item beyond the concurrency of its map: by which limit', async () => {
    const store = t.namespace();
    const running = new Gate<number>();
    const g = graph('limits');
    const list = g.task('list', { run: () => range(5) });
    const each = g.map('each', { over: list, concurrency: 1, run: () => running.pass() });
    const definition = g.outputs({ each });
    // One item at a time may be owned ahead of the one that is performed.
    await startWorker(store, [definition], { maxTasks: 2 });
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await running.begun;
    const limit = { kind: 'limit', key: 'limits/1/each', limit: 1, inProgress: 1 };
    await eventually(async () =>
      expect((await run.why('each/4')).reasons).toMatchObject([limit, { kind: 'ready' }]),
    );
    running.open(1);
    await run.result(WAIT);
    expect((await run.why('each/4')).reasons).toMatchObject([
      { kind: 'ended', statusCode: 'completed' },
    ]);
  });

  it('a node whose handler no worker has: that there is none', async () => {
    const store = t.namespace();
    const g = graph('mails');
    const list = g.task('list', { run: () => 1 });
    const sent = g.task('sent', { after: { list }, action: 'send-mail' });
    const definition = g.outputs({ sent });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await store.waitFor('mails/1/list', WAIT);
    const absent = {
      kind: 'no-worker',
      queue: 'default',
      action: `${actionPrefix(definition)}sent`,
    };
    await eventually(async () =>
      expect((await run.why('sent')).reasons).toMatchObject([absent, { kind: 'ready' }]),
    );
    expect((await run.why()).reasons).toMatchObject([
      { kind: 'signals', roots: [{ id: 'mails/1/sent', reasons: [absent, { kind: 'ready' }] }] },
    ]);
    await run.cancel();
  });
});
