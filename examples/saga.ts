// A saga: flight, hotel and car are booked one after another; when one fails, what was booked is undone, the last first.
// An undoing depends on its own booking, and on the failure of a later one: if either is missing it is skipped.
import assert from 'node:assert/strict';
import { connect, graph, onFailure, optional, orderOnly, PermanentError, settled } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

const calls: string[] = [];
async function call(what: string): Promise<string> {
  calls.push(what);
  return `${what}: done`;
}

const g = graph<{ city: string; hasCars: boolean }>('trip');
const flight = g.task('flight', { run: ({ input }) => call(`book flight to ${input.city}`) });
const hotel = g.task('hotel', {
  after: { flight },
  run: ({ input }) => call(`book hotel in ${input.city}`),
});
const car = g.task('car', {
  after: { hotel },
  run: ({ input }) => {
    if (!input.hasCars) throw new PermanentError('no car is left');
    return call(`book car in ${input.city}`);
  },
});
const noHotel = g.task('cancel-hotel', {
  after: { hotel, failure: onFailure(car) },
  run: ({ deps }) => call(`cancel hotel, since ${deps.failure.node} failed: ${deps.failure.error}`),
});
const noFlight = g.task('cancel-flight', {
  after: { flight, failure: onFailure(hotel, car), hotelGone: orderOnly(settled(noHotel)) },
  run: ({ deps }) => call(`cancel flight, since ${deps.failure.node} failed`),
});
const trip = g.outputs({ car: settled(car), undone: optional(noFlight) });

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();
await using worker = box.worker([trip]);
await worker.start();

const good = await (await box.start(trip, { city: 'Rome', hasCars: true })).result();
assert.equal(good.car.status, 'completed');
assert.equal(good.undone, undefined);
assert.equal(calls.length, 3);

calls.length = 0;
const bad = await (await box.start(trip, { city: 'Oslo', hasCars: false })).result();
assert.deepEqual(bad.car, { status: 'failed', error: 'no car is left' });
assert.deepEqual(calls, [
  'book flight to Oslo',
  'book hotel in Oslo',
  'cancel hotel, since car failed: no car is left',
  'cancel flight, since car failed',
]);
console.log(calls.join('\n'));
