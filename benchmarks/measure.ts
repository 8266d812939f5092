import type { Contestant, OpenContestant } from './contestant.js';
import { openFloor } from './contestants/floor.js';
import { openSignalbox } from './contestants/signalbox.js';
import type { Scenario } from './scenarios/index.js';

/** Tasks a second of one contestant, round by round; none if it cannot do the scenario. */
export interface Measurement {
  readonly contestant: string;
  /** In what the scenario asked less of it than of the others. */
  readonly differs?: string;
  readonly ratesPerSecond: readonly number[];
}

export interface MeasureOptions {
  readonly rounds: number;
  readonly size: number;
  readonly peers: readonly OpenContestant[];
}

const OURS: readonly OpenContestant[] = [openSignalbox, openFloor];

/**
 * Runs a scenario with every contestant on one server, in turn, round by round, so that what else the machine
 * does falls on all alike. The first round warms up and does not count.
 */
export async function measure(
  connectionString: string,
  scenario: Scenario,
  { rounds, size, peers }: MeasureOptions,
): Promise<Measurement[]> {
  const contestants: Contestant[] = [];
  try {
    for (const open of [...OURS, ...peers]) {
      const contestant = await open(connectionString);
      if (contestant) contestants.push(contestant);
    }
    const rates = new Map(contestants.map(({ name }) => [name, [] as number[]]));
    const taking = contestants.filter(({ takes }) => takes?.(scenario.name) ?? true);
    for (let round = 0; round <= rounds; round++) {
      for (const contestant of taking) {
        const timing = await contestant.run(() => scenario.workload(size), size);
        const rate = Math.round((1_000 * size) / scenario.ms(timing));
        if (round > 0) rates.get(contestant.name)?.push(rate);
        console.error(`${scenario.name} round ${round} ${contestant.name}: ${rate}/s`);
      }
    }
    return contestants.map(({ name, differs }) => {
      const difference = differs?.(scenario.name);
      return {
        contestant: name,
        ...(difference === undefined ? {} : { differs: difference }),
        ratesPerSecond: rates.get(name) ?? [],
      };
    });
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
}
