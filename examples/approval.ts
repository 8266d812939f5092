// A human's word: a run waits for an event from outside, which takes up no worker, and goes on with what was said.
// What was said must fit a schema; when nobody says anything in time, the event has failed, and the run says so.
import assert from 'node:assert/strict';
import { connect, graph, InvalidValueError, settled } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';
import { z } from 'zod';

const g = graph<{ euros: number }>('payment');
const request = g.task('request', {
  run: ({ input }) => console.log(`may ${input.euros} EUR be paid?`),
});
const approval = g.event('approval', {
  after: { request },
  schema: z.object({ by: z.string(), isApproved: z.boolean() }),
  timeoutMs: 1_000, // a second, for the sake of the example
});
const pay = g.task('pay', {
  after: { approval },
  if: ({ deps }) => deps.approval.isApproved,
  run: ({ input, deps }) => `${input.euros} EUR paid, approved by ${deps.approval.by}`,
});
const payment = g.outputs({ approval: settled(approval), pay: settled(pay) });

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();
await using worker = box.worker([payment]);
await worker.start();

const approved = await box.start(payment, { euros: 100 });
const refused = await box.start(payment, { euros: 2_000 });
const forgotten = await box.start(payment, { euros: 30 });

// What does not fit is refused, and the event still waits. Any process may bring it: box.run(payment, id).signal(...).
await assert.rejects(approved.signal('approval', { by: 'Ada' }), InvalidValueError);
assert.equal(await approved.signal(approval, { by: 'Ada', isApproved: true }), true);
assert.equal(await approved.signal(approval, { by: 'Eve', isApproved: false }), false);
await refused.signal(approval, { by: 'Ada', isApproved: false });

const paid = await approved.result();
assert.deepEqual(paid.pay, { status: 'completed', value: '100 EUR paid, approved by Ada' });
assert.equal((await refused.result()).pay.status, 'skipped');
const late = await forgotten.result();
assert.deepEqual(late.approval, { status: 'failed', error: 'no payload came within 1000 ms' });
for (const run of [approved, refused, forgotten]) console.log(run.id, (await run.result()).pay);
