import { InvalidOptionError } from '../errors.js';
import { checkBackoff } from '../pool/backoff.js';
import { BodySchemas } from '../store/body-schemas.js';
import type { OwnedTask } from '../store/task-store.js';
import type {
  ActionContext,
  ActionDefinition,
  ActionHandler,
  ActionSettings,
  Actor,
  ActorResult,
} from './actor.js';
import { ActionKnownError, UnknownActionError } from './worker-errors.js';

interface LearnOptions {
  /** Put it in the place of one that is known. Default false. */
  readonly override?: boolean;
}

interface KnownAction {
  readonly handle: ActionHandler;
  readonly settings: ActionSettings;
  /** Holds the action's schema, if it has one. */
  readonly schemas: BodySchemas;
}

/**
 * Makes an actor of handlers by action. What a handler returns is the task's result. What it throws decides
 * the rest: PermanentError aborts the task, SnoozeError brings it back at its time without using up a try,
 * anything else is a failed try, with its message as the status.
 *
 * It may begin without actions, and learn them later. InvalidOptionError without an id, or for settings out of range.
 */
export function defineActor(
  id: string,
  actions: Readonly<Record<string, ActionDefinition>> = {},
): DefinedActor {
  if (typeof id !== 'string' || id === '') {
    throw new InvalidOptionError('defineActor', 'needs an id; name the actor');
  }
  return new DefinedActor(id, actions);
}

/** What `defineActor` makes. Managers follow at once when it learns and forgets. */
export class DefinedActor implements Actor {
  readonly id: string;
  readonly #known = new Map<string, KnownAction>();
  readonly #listeners = new Set<() => void>();
  #actions: readonly string[] = [];
  #settings: Readonly<Record<string, ActionSettings>> = {};

  constructor(id: string, actions: Readonly<Record<string, ActionDefinition>>) {
    this.id = id;
    for (const [action, definition] of Object.entries(actions)) {
      this.#known.set(action, toKnown(action, definition));
    }
    this.#publish();
  }

  /** A new array after each change. */
  get actions(): readonly string[] {
    return this.#actions;
  }

  get settings(): Readonly<Record<string, ActionSettings>> {
    return this.#settings;
  }

  /**
   * Performs the action from now on. ActionKnownError if it does already, unless told to override, or if another actor of
   * the same manager does.
   */
  learn(
    action: string,
    definition: ActionDefinition,
    { override = false }: LearnOptions = {},
  ): void {
    const before = this.#known.get(action);
    if (before && !override) throw new ActionKnownError(action);
    this.#known.set(action, toKnown(action, definition));
    try {
      this.#publish();
    } catch (error) {
      // A manager refused: another of its actors performs the action.
      if (before) this.#known.set(action, before);
      else this.#known.delete(action);
      this.#publish();
      throw error;
    }
  }

  /**
   * Performs the action no more: UnknownActionError if it never did. Handlers that run go on to their end; tasks
   * that a manager owns and has not begun are handed back, no try used up.
   */
  forget(action: string): void {
    if (!this.#known.delete(action)) throw new UnknownActionError(action);
    this.#publish();
  }

  onChange(listener: () => void): () => void {
    // Each registration is its own, so that each can be taken back.
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async handle(task: OwnedTask, context: ActionContext): Promise<ActorResult> {
    const known = this.#known.get(task.action);
    if (!known) throw new UnknownActionError(task.action);
    known.schemas.validate(task.action, task.id, task.body);
    const result = await known.handle(task, context);
    return { statusCode: 'completed', result: result ?? undefined };
  }

  #publish(): void {
    const entries = [...this.#known];
    this.#actions = Object.freeze(entries.map(([action]) => action));
    this.#settings = Object.freeze(
      Object.fromEntries(entries.map(([action, { settings }]) => [action, settings])),
    );
    for (const listener of [...this.#listeners]) listener();
  }
}

function toKnown(action: string, definition: ActionDefinition): KnownAction {
  const { handle, ...settings } =
    typeof definition === 'function' ? { handle: definition } : definition;
  if (typeof handle !== 'function') {
    throw new InvalidOptionError(`handle of ${action}`, `is ${typeof handle}; give a function`);
  }
  checkSettings(action, settings);
  const schemas = new BodySchemas();
  if (settings.schema) schemas.register(action, settings.schema);
  return { handle, settings, schemas };
}

function checkSettings(action: string, settings: ActionSettings): void {
  const { concurrency, timeoutMs, maxTries, retry } = settings;
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new InvalidOptionError(`concurrency of ${action}`, `is ${concurrency}; give 1 or more`);
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new InvalidOptionError(`timeoutMs of ${action}`, `is ${timeoutMs}; give more than 0`);
  }
  if (maxTries !== undefined) checkMaxTries(`maxTries of ${action}`, maxTries);
  if (retry !== undefined) checkBackoff(`retry of ${action}`, retry);
}

/** InvalidOptionError unless it is a whole number from 1 up, or Infinity. */
export function checkMaxTries(option: string, maxTries: number): void {
  if (maxTries === Number.POSITIVE_INFINITY) return;
  if (!(Number.isInteger(maxTries) && maxTries >= 1)) {
    throw new InvalidOptionError(option, `is ${maxTries}; give 1 or more, or Infinity`);
  }
}
