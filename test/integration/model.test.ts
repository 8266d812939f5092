import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leaveSignals } from '../support/few-signals.js';
import { expectInvariants } from '../support/invariants.js';
import { commandSequences, type Tally } from '../support/model/commands.js';
import { Engine } from '../support/model/engine.js';
import type { World } from '../support/model/resolve.js';
import { TaskModel } from '../support/model/task-model.js';
import { useTestBox } from '../support/test-box.js';

const NUM_RUNS = 250;
const MAX_COMMANDS = 60;
const TIME_LIMIT_MS = 120_000;
/** Every verb must have been run at least so often, or the runs prove little. */
const MIN_STEPS_OF_A_VERB = 50;

const t = useTestBox();

/** Each run begins with an empty schema and at this time of the model's clock. */
const START_MS = Date.UTC(2030, 0, 1);

it.each([
  ['as it is', undefined],
  ['if it leaves all signals to be given one by one', { max: 0, part: 1 }],
])(
  'does what the model does, whatever verbs come in whatever order, also at once: %s',
  async (_, leaving) => {
    if (leaving) await leaveSignals(t.pool, leaving);
    const tally: Tally = { steps: {}, together: 0, notTogether: 0 };
    const engine = new Engine(t.pool, { catchesUpFirst: leaving !== undefined });
    const exceptions = { signalsMayOutnumberSenders: true };
    t.allow(exceptions);

    await fc.assert(
      fc.asyncProperty(commandSequences(tally, MAX_COMMANDS), async (commands) => {
        await engine.clear();
        const model = new TaskModel();
        model.nowMs = START_MS;
        const world: World = {
          model,
          everHeld: [],
          numCommands: 0,
          minGivenTotal: leaving ? 20 : 0,
        };
        await fc.asyncModelRun(() => ({ model: world, real: engine }), commands);
        await expectInvariants(t.pool, t.schema, exceptions);
      }),
      // The limit ends the search for a smaller counterexample: the smallest so far is reported, with its seed.
      { numRuns: NUM_RUNS, interruptAfterTimeLimit: TIME_LIMIT_MS },
    );

    const verbs = [
      'insert',
      'own',
      'return',
      'extend',
      'begin',
      'update',
      'timers',
      'cancel',
      'signal',
      'rerun',
      'delete',
    ];
    const rare = verbs.filter((verb) => (tally.steps[verb] ?? 0) < MIN_STEPS_OF_A_VERB);
    expect(rare).toEqual([]);
    expect(tally.together).toBeGreaterThan(MIN_STEPS_OF_A_VERB);
  },
  2 * TIME_LIMIT_MS,
);
