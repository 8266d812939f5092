import fc from 'fast-check';
import pg from 'pg';
import { expect } from 'vitest';
import { faultsOfClaim, faultsOfClaimAmongOthers } from './claim-rules.js';
import { isOrderIrrelevant } from './commuting.js';
import type { Engine } from './engine.js';
import {
  type ClaimIntent,
  claimIntents,
  type Intent,
  intents,
  intentsTogether,
  ticks,
} from './intents.js';
import { expectedRecords } from './records.js';
import { resolve, resolveClaim, type World } from './resolve.js';
import type { Answer, Claim, Step } from './step.js';

/** What commands did, over all runs: a test of the test. */
export interface Tally {
  steps: Record<string, number>;
  together: number;
  notTogether: number;
}

type Command = fc.AsyncCommand<World, Engine>;

/** Sequences of commands for fc.asyncModelRun. */
export function commandSequences(tally: Tally, maxCommands: number) {
  return fc.commands<World, Engine, false>(
    [
      ...weighted(
        5,
        intents.map((intent) => new VerbCommand([intent], tally)),
      ),
      ...weighted(
        2,
        intentsTogether.map((several) => new VerbCommand(several, tally)),
      ),
      ...weighted(
        4,
        claimIntents.map((claims) => new ClaimCommand(claims, tally)),
      ),
      ...weighted(
        2,
        ticks.map((ms) => new TickCommand(ms)),
      ),
    ],
    { maxCommands, size: '+1' },
  );
}

function weighted<T>(weight: number, item: T): T[] {
  return Array.from({ length: weight }, () => item);
}

/** Runs verbs: at once if their order does not matter to the model, else one after the other. */
class VerbCommand implements Command {
  readonly #intents: readonly Intent[];
  readonly #tally: Tally;
  #done = '';

  constructor(wanted: readonly Intent[], tally: Tally) {
    this.#intents = wanted;
    this.#tally = tally;
  }

  check(world: Readonly<World>): boolean {
    return this.#resolve(world).length > 0;
  }

  async run(world: World, engine: Engine): Promise<void> {
    world.numCommands++;
    const steps = this.#resolve(world);
    this.#done = steps.map((step) => JSON.stringify(step)).join('\n  || ');
    if (steps.length > 1 && isOrderIrrelevant(world.model, steps)) {
      this.#tally.together++;
      await runTogether(steps, world, engine);
    } else {
      if (steps.length > 1) this.#tally.notTogether++;
      for (const step of steps) await runOne(step, world, engine);
    }
    for (const { verb } of steps) count(this.#tally, verb);
    expect(await engine.records()).toEqual(expectedRecords(world.model));
  }

  #resolve(world: World): Step[] {
    return this.#intents.flatMap((intent, member) => resolve(intent, world, member) ?? []);
  }

  toString(): string {
    return `\n  ${this.#done}`;
  }
}

async function runOne(step: Step, { model }: World, engine: Engine): Promise<void> {
  const [expected] = model.apply([step]);
  expect(await engine.apply(step, model.nowMs)).toEqual(expected);
}

async function runTogether(
  steps: readonly Step[],
  { model }: World,
  engine: Engine,
): Promise<void> {
  const mayDeadlock = steps.some(({ verb }) => ['cancel', 'rerun', 'delete'].includes(verb));
  const expected = model.apply([...steps, { verb: 'timers' }]).slice(0, -1);
  const answers = await Promise.all(
    steps.map((step) => applyAgain(step, engine, model.nowMs, mayDeadlock ? 5 : 1)),
  );
  await engine.catchUp(model.nowMs);
  expect(answers).toEqual(expected);
}

/** Cancel, rerun and delete may deadlock with others: a client runs such a transaction again. */
async function applyAgain(
  step: Step,
  engine: Engine,
  nowMs: number,
  maxAttempts: number,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await engine.apply(step, nowMs);
    } catch (error) {
      const isDeadlock = error instanceof pg.DatabaseError && error.code === '40P01';
      if (!isDeadlock || attempt === maxAttempts) throw error;
    }
  }
}

/** Claims: one, which must keep every rule, or several at once, which must not get in each other's way. */
class ClaimCommand implements Command {
  readonly #claims: readonly Claim[];
  readonly #tally: Tally;

  constructor(wanted: readonly ClaimIntent[], tally: Tally) {
    this.#claims = wanted.map(resolveClaim);
    this.#tally = tally;
  }

  check(): boolean {
    return true;
  }

  async run({ model, everHeld }: World, engine: Engine): Promise<void> {
    model.prepareClaim();
    const given = await Promise.all(
      this.#claims.map(async (claim) => ({ claim, claimed: await engine.own(claim, model.nowMs) })),
    );
    const isAlone = given.length === 1;
    const faultsOf = isAlone ? faultsOfClaim : faultsOfClaimAmongOthers;
    expect(given.flatMap(({ claim, claimed }) => faultsOf(model, claim, claimed))).toEqual([]);

    const ids = given.flatMap(({ claimed }) => claimed.map(({ id }) => id));
    expect(ids, 'no task is given twice').toEqual([...new Set(ids)]);
    for (const { claim, claimed } of given) {
      model.own(claim, claimed);
      everHeld.push(...claimed.map(({ id, token }) => ({ id, token })));
      count(this.#tally, 'own', claimed.length);
    }
    if (!isAlone) await engine.catchUp(model.nowMs);
    expect(await engine.records()).toEqual(expectedRecords(model));
  }

  toString(): string {
    return `\n  own ${this.#claims.map((claim) => JSON.stringify(claim)).join(' || ')}`;
  }
}

/** Puts the clock on. */
class TickCommand implements Command {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  check(): boolean {
    return true;
  }

  async run({ model }: World): Promise<void> {
    model.nowMs += this.#ms;
  }

  toString(): string {
    return `\n  ${this.#ms} ms later`;
  }
}

function count({ steps }: Tally, verb: string, by = 1): void {
  steps[verb] = (steps[verb] ?? 0) + by;
}
