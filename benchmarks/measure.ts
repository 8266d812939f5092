import type { Contestant, OpenContestant } from './contestant.js';
import { openFloor } from './contestants/floor.js';
import { openSignalbox } from './contestants/signalbox.js';
import type { Scenario } from './scenarios/index.js';

/** Tasks a second of one contestant, round by round. */
export interface Measurement {
  readonly contestant: string;
  readonly ratesPerSecond: readonly number[];
}

const CONTESTANTS: readonly OpenContestant[] = [openSignalbox, openFloor];

/**
 * Runs a scenario with every contestant on one server, in turn, round by round, so that what else the machine
 * does falls on all alike. The first round warms up and does not count.
 */
export async function measure(
  connectionString: string,
  scenario: Scenario,
  { rounds, size }: { rounds: number; size: number },
): Promise<Measurement[]> {
  const contestants: Contestant[] = [];
  for (const open of CONTESTANTS) contestants.push(await open(connectionString));
  const rates = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const contestant of contestants) {
        const timing = await contestant.run(() => scenario.workload(size), size);
        const rate = Math.round((1_000 * size) / scenario.ms(timing));
        if (round > 0) rates.get(contestant.name)?.push(rate);
        console.error(`${scenario.name} round ${round} ${contestant.name}: ${rate}/s`);
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
  return Array.from(rates, ([contestant, ratesPerSecond]) => ({ contestant, ratesPerSecond }));
}
