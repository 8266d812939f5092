import { inspect } from 'node:util';
import { InvalidBodyError, InvalidOptionError, PermanentError, SnoozeError } from '../errors.js';
import type { Logger } from '../logger.js';
import { BodySchemas } from '../store/body-schemas.js';
import type { BodySchema, Json, OwnedTask, TaskInput } from '../store/task-store.js';

/** What an actor made of a task. `pending` asks for another try; with `startAfter`, then, and this try does not count. */
export interface ActorResult {
  statusCode: 'completed' | 'aborted' | 'skipped' | 'pending';
  status?: string | undefined;
  result?: Json | undefined;
  startAfter?: Date | undefined;
  /** Inserted in the transaction of the return. */
  tasks?: readonly TaskInput[] | undefined;
}

/** What a handler gets besides its task. */
export interface ActionContext {
  /** Fires when the work is not wanted any more: cancelled, deadline lost, timed out, shutting down. `signal.reason` says which. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Extends the deadline now. The manager does so by itself; this also tells at once whether the task is still held: InvalidTokenError. */
  heartbeat(): Promise<void>;
}

/** What a manager keeps to when it has an action performed. */
export interface ActionSettings {
  /** Bodies must fit it, at insert through the manager's store and before handling. */
  readonly schema?: BodySchema;
  /** At most this many handlers of the action at once in a manager. Default: its `workers`. */
  readonly concurrency?: number;
  /** A try that takes longer is aborted, counts, and its slot is freed whether the handler settles or not. Default: no limit. */
  readonly timeoutMs?: number;
}

/** Whatever performs actions. */
export interface Actor {
  readonly id: string;
  readonly actions: readonly string[];
  readonly settings?: Readonly<Record<string, ActionSettings>>;
  handle(task: OwnedTask, context: ActionContext): Promise<ActorResult>;
}

/** Performs one action: returns the result, or throws to fail. */
export type ActionHandler = (
  task: OwnedTask,
  context: ActionContext,
) => Promise<Json | undefined | void> | Json | undefined | void;

/** A handler, alone or with settings. */
export type ActionDefinition =
  | ActionHandler
  | ({ readonly handle: ActionHandler } & ActionSettings);

/**
 * Makes an actor of handlers by action. What a handler returns is the task's result. What it throws decides
 * the rest: PermanentError aborts the task, SnoozeError brings it back at its time without using up a try,
 * anything else is a failed try, with its message as the status.
 */
export function defineActor(
  id: string,
  actions: Readonly<Record<string, ActionDefinition>>,
): Actor & { readonly settings: Readonly<Record<string, ActionSettings>> } {
  const names = Object.keys(actions);
  if (id === '' || names.length === 0) {
    throw new InvalidOptionError('defineActor', 'needs an id and at least one action');
  }
  const handlers = new Map<string, ActionHandler>();
  const settings: Record<string, ActionSettings> = {};
  const schemas = new BodySchemas();
  for (const [action, definition] of Object.entries(actions)) {
    const { handle, ...rest } =
      typeof definition === 'function' ? { handle: definition } : definition;
    checkSettings(action, rest);
    handlers.set(action, handle);
    settings[action] = rest;
    if (rest.schema) schemas.register(action, rest.schema);
  }
  return {
    id,
    actions: names,
    settings,
    async handle(task, context) {
      const handler = handlers.get(task.action);
      if (!handler) throw new PermanentError(`actor ${id} has no action ${task.action}`);
      schemas.validate(task.action, task.id, task.body);
      const result = await handler(task, context);
      return { statusCode: 'completed', result: result ?? undefined };
    },
  };
}

/** What a throw in a handler means for its task. */
export function toFailure(thrown: unknown): ActorResult {
  if (thrown instanceof SnoozeError) {
    return { statusCode: 'pending', status: thrown.message, startAfter: thrown.startAfter };
  }
  const status =
    thrown instanceof Error ? String(thrown.message) : `a handler threw ${inspect(thrown)}`;
  return { statusCode: isPermanent(thrown) ? 'aborted' : 'pending', status };
}

/** A body that does not fit its schema will not fit it at the next try. */
function isPermanent(thrown: unknown): boolean {
  return thrown instanceof PermanentError || thrown instanceof InvalidBodyError;
}

function checkSettings(action: string, { concurrency, timeoutMs }: ActionSettings): void {
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new InvalidOptionError(`concurrency of ${action}`, `is ${concurrency}; give 1 or more`);
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new InvalidOptionError(`timeoutMs of ${action}`, `is ${timeoutMs}; give more than 0`);
  }
}
