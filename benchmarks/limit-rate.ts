// What a limit of 50 on one key costs: tasks a second with and without it, by one process, in turns. Claims of the key
// go one after the other, and a return waits for a claim at its end. The shorter the handlers, the more that shows:
// see docs/limits.md.
// Usage: tsx benchmarks/limit-rate.ts [handler's ms] [tasks] [managers] [workers of each]

import { setTimeout as delay } from 'node:timers/promises';
import { ActionManager, connect, defineActor, type TaskInput } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';
import { timed } from './span.js';
import { median } from './statistics.js';

const LIMIT = 50;
const ROUNDS = 5;
const [handlerMs = 0, size = 60_000, numManagers = 1, workers = 50] = process.argv
  .slice(2)
  .map(Number);

function* tasks(action: string, isLimited: boolean): Generator<TaskInput> {
  const limit = isLimited ? { limitKey: action, limit: LIMIT } : {};
  for (let i = 0; i < size; i++) yield { id: `${action}/${i}`, action, ...limit };
}

await using server = await startEmbedded();
await using box = await connect({ connectionString: server.connectionString });
await box.migrate();

async function rateOf(action: string, isLimited: boolean): Promise<number> {
  await box.insertTasks(tasks(action, isLimited));
  let left = size;
  let end: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    end = resolve;
  });
  const handle = async () => {
    if (handlerMs > 0) await delay(handlerMs);
    if (--left === 0) end();
  };
  const managers = Array.from(
    { length: numManagers },
    (_, i) => new ActionManager(box, defineActor(`actor${i}`, { [action]: handle }), { workers }),
  );
  const elapsedMs = await timed(async () => {
    await Promise.all(managers.map((manager) => manager.start()));
    await all;
  });
  await Promise.all(managers.map((manager) => manager.stop()));
  return (1_000 * size) / elapsedMs;
}

const free: number[] = [];
const limited: number[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  const rates = [await rateOf(`free${round}`, false), await rateOf(`limited${round}`, true)];
  if (round === 0) continue; // it warms up
  free.push(rates[0] ?? Number.NaN);
  limited.push(rates[1] ?? Number.NaN);
}
const [without, within] = [median(free), median(limited)];
const rates = { without: Math.round(without), with: Math.round(within) };
console.log(JSON.stringify({ ...rates, ratio: (without / within).toFixed(2) }));
