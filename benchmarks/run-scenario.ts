import type { ContestantProcess } from './contestant-process.js';
import { type Sample, toFigures } from './figure.js';
import { describeMachine, readVersions } from './machine.js';
import type { Result } from './result.js';
import type { Scenario } from './scenario.js';
import { judge } from './target.js';

export interface RunOptions {
  readonly connectionString: string;
  /** Taken by scenarios that compare. */
  readonly contestants: readonly ContestantProcess[];
  readonly rounds: number;
  /** The small size, one round. */
  readonly isQuick: boolean;
}

/** Runs the rounds of a scenario and judges what they found. What each sample says goes to stderr as it comes. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Result> {
  const { connectionString, contestants, isQuick } = options;
  const size = isQuick ? scenario.quickSize : scenario.size;
  const rounds = isQuick ? 1 : (scenario.rounds ?? options.rounds);
  const machine = describeMachine();
  const samples: Sample[] = [];
  for (let round = scenario.warmsUp ? 0 : 1; round <= rounds; round++) {
    await scenario.round({
      connectionString,
      size,
      contestants,
      record: (sample) => {
        console.error(toProgress(scenario.name, round, sample));
        if (round > 0) samples.push(sample);
      },
    });
  }
  const figures = toFigures(samples);
  return {
    scenario: scenario.name,
    what: scenario.what,
    date: new Date().toISOString(),
    machine,
    versions: await readVersions(connectionString),
    size,
    unit: scenario.unit,
    isQuick,
    rounds,
    figures,
    targets: scenario.targets.map((target) => judge(target, figures)),
  };
}

function toProgress(name: string, round: number, { who, what, unit, value }: Sample): string {
  const where = round === 0 ? `${name}, warming up` : `${name}, round ${round}`;
  return `${where}: ${who}, ${what} ${value.toPrecision(4)} ${unit}`.trimEnd();
}
