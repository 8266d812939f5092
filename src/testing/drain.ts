import { InvalidOptionError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { TaskStore } from '../store/task-store.js';
import { ActionManager } from '../worker/action-manager.js';
import type { Actor } from '../worker/actor.js';
import { DrainFailedError } from './drain-errors.js';
import { type DrainReport, DrainTally } from './drain-report.js';
import { DrainWatch } from './drain-watch.js';
import type { TestClock } from './test-clock.js';

export interface DrainOptions {
  /** Handlers at once. Default 1: one task after another, in the order in which the store gives them. */
  readonly workers?: number;
  /** DrainLimitError beyond so many tries. Default 100,000. */
  readonly maxTasks?: number;
  /** Default: `['default']`. */
  readonly queues?: readonly string[];
  /** DrainFailedError at the end if the last try of a task failed. Default false. */
  readonly throwOnFailure?: boolean;
  /** Stands still meanwhile, so that what becomes ready does not depend on how long handlers take. */
  readonly clock?: TestClock;
  /** Moves `clock` to whatever waits for time next, again and again until nothing does. Default false: that stays. */
  readonly timers?: boolean;
  /** With `timers`: no further than this, where the clock then stands; schedules fire on the way. */
  readonly until?: Date;
  readonly logger?: Logger;
}

const DEFAULTS = Object.freeze({ workers: 1, maxTasks: 100_000 });

/** A handler may move the clock by hours without losing its task. */
const LEASE_MS = 7 * 86_400_000;
const PAUSE_MS = 10;

/**
 * Performs tasks until none is ready, in this process, and resolves with what became of them.
 *
 * Nothing is simulated: an ActionManager has the actors perform what the store gives, with retries, limits and hooks
 * as in production. With `timers`, time passes as well. A handler that waits for another task of the drain needs
 * `workers: 2` or more. Rejects with DrainLimitError, DrainFailedError, or what the store keeps failing with.
 */
export async function drain(
  store: TaskStore,
  actors: Actor | readonly Actor[],
  options: DrainOptions = {},
): Promise<DrainReport> {
  const { clock, timers = false, until } = options;
  if (timers && !clock) throw new InvalidOptionError('timers', 'needs a clock to move; give one');
  if (until && !timers) throw new InvalidOptionError('until', 'goes with timers: true; add it');
  const tally = new DrainTally();
  const drainNow = () => drainReady(store, isMany(actors) ? actors : [actors], options, tally);
  await standingStill(clock, async () => {
    await drainNow();
    if (clock && timers) await passTime(clock, until && { until, store }, drainNow);
  });
  const failures = options.throwOnFailure ? tally.failures() : [];
  if (failures.length > 0) throw new DrainFailedError(failures);
  return tally.report();
}

/** A clock that ran before runs on afterwards, from where it stands then. */
async function standingStill(
  clock: TestClock | undefined,
  work: () => Promise<void>,
): Promise<void> {
  if (!clock || clock.isFrozen) return work();
  await clock.freeze();
  await work().finally(() => clock.unfreeze());
}

async function passTime(
  clock: TestClock,
  end: { readonly until: Date; readonly store: TaskStore } | undefined,
  drainNow: () => Promise<void>,
): Promise<void> {
  for (;;) {
    const next = await nextMoment(clock, end?.store);
    if (!next || (end && next > end.until)) break;
    await clock.set(next);
    await end?.store.schedules.fireDue();
    await drainNow();
  }
  if (end && (await clock.now()) < end.until) await clock.set(end.until);
}

/** Always later than now, so that time passes even where what is due is held up by somebody. */
async function nextMoment(clock: TestClock, scheduling?: TaskStore): Promise<Date | undefined> {
  const nextDueInMs = (await scheduling?.schedules.fireDue())?.nextDueInMs;
  const event = await clock.nextEventAt();
  const now = (await clock.now()).getTime();
  const times = event ? [event.getTime()] : [];
  if (typeof nextDueInMs === 'number' && nextDueInMs > 0) times.push(now + Math.ceil(nextDueInMs));
  return times.length > 0 ? new Date(Math.max(now + 1, Math.min(...times))) : undefined;
}

async function drainReady(
  store: TaskStore,
  actors: readonly Actor[],
  options: DrainOptions,
  tally: DrainTally,
): Promise<void> {
  const { workers, maxTasks } = { ...DEFAULTS, ...options };
  const queues = options.queues ? { queues: options.queues } : {};
  const lanes = () => ({ actions: actors.flatMap(({ actions }) => actions), ...queues });
  // A manager would wait for the first.
  if (lanes().actions.length === 0) return;
  const watch = new DrainWatch({ store, lanes, workers, maxTasks, tally });
  const manager = new ActionManager(watch.store, actors, {
    workers,
    channelSize: workers,
    maxTasks: workers,
    waitTimeMs: PAUSE_MS,
    errWaitTimeMs: PAUSE_MS,
    maxDurationMs: LEASE_MS,
    onReturned: tally.returned,
    ...queues,
    ...(options.logger ? { logger: options.logger } : {}),
  });
  await manager.start();
  await watch.idle.finally(() => manager.stop({ timeoutMs: 0 }));
  tally.numLost += manager.stats().lost;
}

function isMany(actors: Actor | readonly Actor[]): actors is readonly Actor[] {
  return Array.isArray(actors);
}
