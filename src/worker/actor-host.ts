import { randomUUID } from 'node:crypto';
import type { Logger } from '../logger.js';
import type { OwnedTask, Progress, TaskReturnOutcome, TaskStore } from '../store/task-store.js';
import { settlesWithin } from '../timers.js';
import type { ActionContext, ActionSettings, Actor, ActorResult, ManualActor } from './actor.js';
import type { Claim, Claimed } from './claim-loop.js';
import type { InHand } from './in-hand.js';
import { Job, type JobHost } from './job.js';
import type { Notices } from './manager-events.js';
import type { ManualJobs } from './manual-jobs.js';
import { type Middleware, performWithin } from './middleware/middleware.js';
import { type OutcomeRules, ofUnknownAction } from './outcome-rules.js';
import { ActionKnownError, UnknownActionError } from './worker-errors.js';

interface ActorHostOptions {
  readonly store: Pick<TaskStore, 'registerBodySchema'>;
  readonly actor: Actor | ManualActor;
  readonly inHand: InHand;
  readonly rules: OutcomeRules;
  readonly notices: Notices;
  /** Preparing tasks may take so long: from then on their leases would have to be kept. */
  readonly maxPrepareMs: number;
  /** Read at each task. */
  readonly middleware: readonly Middleware[];
  /** Performs what an actor without a handler does not. */
  readonly manual: ManualJobs | undefined;
}

const FORGOTTEN = 'the actor forgot the action';

/** One actor of a manager: makes jobs of its tasks, has them performed within the middleware, follows what it learns and forgets. */
export class ActorHost implements JobHost {
  readonly actor: Actor | ManualActor;
  /** Under which it is known to be there. */
  readonly workerId = randomUUID();
  readonly logger: Logger;
  readonly rules: OutcomeRules;
  readonly #options: ActorHostOptions;
  readonly #perform: (task: OwnedTask, context: ActionContext) => Promise<ActorResult>;
  /** As of the last change. */
  #actions: ReadonlySet<string> = new Set();

  constructor(options: ActorHostOptions) {
    const { actor, manual } = options;
    this.#options = options;
    this.actor = actor;
    this.rules = options.rules;
    this.logger = options.notices.logger;
    this.#perform = (task, context) => {
      if (actor.handle) return actor.handle(task, context);
      if (manual) return manual.perform(task, context);
      throw new UnknownActionError(task.action);
    };
    this.follow();
  }

  /** Those of the actor's actions of which more can be performed now. */
  get openActions(): readonly string[] {
    const { channel } = this.#options.inHand;
    if (!channel.hasActionGates) return this.actor.actions;
    return this.actor.actions.filter((action) => channel.numFree(action) > 0);
  }

  /** How many more tasks of the actor could begin at once if enough workers were idle. */
  get numFree(): number {
    const { channel } = this.#options.inHand;
    if (!channel.hasActionGates) return Number.POSITIVE_INFINITY;
    return this.actor.actions.reduce((sum, action) => sum + channel.numFree(action), 0);
  }

  /** Takes over what the actor knows now: schemas, limits; tasks that it would no longer perform go back. */
  follow(): void {
    const { store, actor, inHand } = this.#options;
    const actions = new Set(actor.actions);
    for (const action of new Set([...actions, ...this.#actions])) {
      const { schema, concurrency } = this.settings(action) ?? {};
      inHand.channel.limitAction(action, concurrency);
      if (schema) store.registerBodySchema(action, schema);
    }
    this.#actions = actions;
    const isForgotten = (job: Job) => job.host === this && !actions.has(job.task.action);
    inHand.handBackUnstarted(FORGOTTEN, isForgotten);
    inHand.wake(inHand.channel.size);
  }

  /** ActionKnownError if this actor performs one that the other does. */
  checkApart(other: ActorHost): void {
    const known = new Set(other.actor.actions);
    for (const action of this.actor.actions) {
      if (known.has(action)) throw new ActionKnownError(action);
    }
  }

  /** Lets the actor read ahead for tasks just owned. Resolves with what it has for their handlers. */
  async prepare(tasks: readonly OwnedTask[]): Promise<unknown> {
    const { actor, notices, maxPrepareMs } = this.#options;
    if (!actor.prepare || tasks.length === 0) return undefined;
    try {
      const preparing = actor.prepare(tasks);
      if (await settlesWithin(preparing, maxPrepareMs)) return await preparing;
      throw new Error(`prepare took longer than a heartbeat, ${maxPrepareMs} ms`);
    } catch (err) {
      notices.logger.warn({ err, actorId: actor.id }, 'tasks are performed unprepared');
      return undefined;
    }
  }

  /** Takes tasks in hand. Those that are not to be performed go back at once. */
  accept({ tasks, prepared }: Claimed, { askedAt, actions }: Claim): void {
    const { inHand, actor, rules } = this.#options;
    const known = new Set(actor.actions);
    for (const task of tasks) {
      const job = new Job(task, { askedAt, prepared }, this);
      inHand.hold(job);
      const poison = rules.ofPoison(task, job.settings);
      if (!known.has(task.action) && actions.includes(task.action)) job.handBack(FORGOTTEN);
      else if (!known.has(task.action)) this.#refuse(job);
      else if (poison) job.settle(poison);
      else inHand.channel.put(job);
    }
    inHand.wake(tasks.length);
  }

  settings(action: string): ActionSettings | undefined {
    return this.actor.settings?.[action];
  }

  handle(task: OwnedTask, context: ActionContext): Promise<ActorResult> {
    const { middleware } = this.#options;
    if (middleware.length === 0) return this.#perform(task, context);
    return performWithin(middleware, this.#perform, task, context);
  }

  announce(job: Job): void {
    this.#options.inHand.announce(job);
  }

  onStarted(job: Job): void {
    this.#options.inHand.started(job);
  }

  extend(job: Job): Promise<void> {
    return this.#options.inHand.extend(job);
  }

  report(job: Job, progress: Progress): void {
    this.#options.inHand.report(job, progress);
  }

  onDecided(job: Job, outcome: TaskReturnOutcome | null): void {
    this.#options.inHand.decided(job, outcome);
  }

  #refuse(job: Job): void {
    const { notices } = this.#options;
    const { id, action } = job.task;
    const err = new UnknownActionError(action);
    notices.logger.error({ err, id, actorId: this.actor.id }, 'an unknown action was handed back');
    notices.emit('unknownAction', { task: job.task });
    job.isHandedBack = true;
    job.settle(ofUnknownAction(err), err);
  }
}
