import { InvalidOptionError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { TaskStore } from '../store/task-store.js';
import { ActionManager } from '../worker/action-manager.js';
import type { Actor } from '../worker/actor.js';
import { altered } from './altered.js';
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
  /** DrainFailedError at the end if a task was aborted. Default false. */
  readonly throwOnFailure?: boolean;
  /** Moves this clock to whatever waits for time, again and again until nothing does. Default: what is not ready now stays. */
  readonly clock?: TestClock;
  /** With `clock`: no further than this, where the clock then stands; schedules fire on the way. */
  readonly until?: Date;
  readonly logger?: Logger;
}

const DEFAULTS = Object.freeze({ workers: 1, maxTasks: 100_000, throwOnFailure: false });

/** A handler may move the clock by hours without losing its task. */
const LEASE_MS = 7 * 86_400_000;
const ERROR_PAUSE_MS = 10;

/**
 * Performs tasks until none is ready, in this process, and resolves with what became of them.
 *
 * Nothing is simulated: an ActionManager has the actors perform what the store gives, with retries, limits and middleware
 * as in production. With `clock`, time passes as well. A handler that waits for another task of the drain needs
 * `workers: 2` or more. Rejects with DrainLimitError, DrainFailedError, or what the store keeps failing with.
 */
export async function drain(
  store: TaskStore,
  actors: Actor | readonly Actor[],
  options: DrainOptions = {},
): Promise<DrainReport> {
  const { clock, until } = options;
  if (until && !clock) throw new InvalidOptionError('until', 'needs a clock to move; give one');
  const tally = new DrainTally();
  await drainReady(store, actors, options, tally);
  if (clock) await passTime(clock, store, until, () => drainReady(store, actors, options, tally));
  const report = tally.report();
  const failures = report.outcomes.filter(({ statusCode }) => statusCode === 'aborted');
  if (options.throwOnFailure && failures.length > 0) throw new DrainFailedError(failures);
  return report;
}

async function passTime(
  clock: TestClock,
  store: TaskStore,
  until: Date | undefined,
  drainNow: () => Promise<void>,
): Promise<void> {
  for (;;) {
    const next = await nextMoment(clock, until ? store : undefined);
    if (!next || (until && next > until)) break;
    await clock.set(next);
    if (until) await store.schedules.fireDue();
    await drainNow();
  }
  if (until && (await clock.now()) < until) await clock.set(until);
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
  actors: Actor | readonly Actor[],
  options: DrainOptions,
  tally: DrainTally,
): Promise<void> {
  const { workers, maxTasks } = { ...DEFAULTS, ...options };
  const queues = options.queues ? { queues: options.queues } : {};
  const actor = observed(merged(isMany(actors) ? actors : [actors]), tally);
  const lanes = { actions: actor.actions, ...queues };
  const watch = new DrainWatch({ store, lanes, workers, maxTasks, tally });
  const manager = new ActionManager(watch.store, actor, {
    workers,
    channelSize: workers,
    maxTasks: workers,
    waitTimeMs: ERROR_PAUSE_MS,
    errWaitTimeMs: ERROR_PAUSE_MS,
    maxDurationMs: LEASE_MS,
    ...queues,
    ...(options.logger ? { logger: options.logger } : {}),
  });
  await manager.start();
  await watch.idle.finally(() => manager.stop({ timeoutMs: 0 }));
}

function isMany(actors: Actor | readonly Actor[]): actors is readonly Actor[] {
  return Array.isArray(actors);
}

/** One actor that does what each of them does. */
function merged(actors: readonly Actor[]): Actor {
  const [first, ...others] = actors;
  if (!first) throw new InvalidOptionError('actors', 'are none; give at least one');
  if (others.length === 0) return first;
  const byAction = new Map(actors.flatMap((one) => one.actions.map((action) => [action, one])));
  return {
    id: actors.map(({ id }) => id).join('+'),
    actions: [...byAction.keys()],
    settings: Object.assign({}, ...actors.map(({ settings }) => settings)),
    handle: (task, context) => (byAction.get(task.action) ?? first).handle(task, context),
  };
}

/** The same actor; what its handlers throw is noted. */
function observed(actor: Actor, tally: DrainTally): Actor {
  return altered<Actor>(actor, {
    async handle(task, context) {
      try {
        return await actor.handle(task, context);
      } catch (error) {
        tally.threw(task.token, error);
        throw error;
      }
    },
  });
}
