import type { NodeHandler } from '../run/performing.js';
import type { TaskInput } from '../store/task-store.js';
import type { Actor } from '../worker/actor.js';
import { UsageError } from './cli-errors.js';
import { type Exports, loadModule } from './load-module.js';

/** Where tasks come from. */
export type TaskSource = Iterable<TaskInput> | AsyncIterable<TaskInput>;

/** Handlers of the actions that nodes name. */
export type Handlers = Readonly<Record<string, NodeHandler>>;

/** The actors that modules export: by default, in `actors`, or by any name. UsageError where there are none. */
export async function loadActors(paths: readonly string[]): Promise<Actor[]> {
  const found = new Set<Actor>();
  for (const path of paths) {
    const actors = actorsOf(await loadModule(path));
    if (actors.length === 0) {
      throw new UsageError(
        `${path} exports no actor. Export one, like: export default defineActor('name', { action: handler }).`,
      );
    }
    for (const actor of actors) found.add(actor);
  }
  return [...found];
}

/** The handlers that modules export: by name, or in an object `handlers` or by default. UsageError where there are none. */
export async function loadHandlers(paths: readonly string[]): Promise<Handlers> {
  const found: Record<string, NodeHandler> = {};
  for (const path of paths) {
    const exports = await loadModule(path);
    const handlers = { ...functionsOf(exports), ...handlersOf(exports) };
    if (Object.keys(handlers).length === 0) {
      throw new UsageError(
        `${path} exports no handler. Export functions by the names of actions, or together: export const handlers = { 'send-mail': sendMail }.`,
      );
    }
    Object.assign(found, handlers);
  }
  return found;
}

/** The handlers in an object that is exported as `handlers` or by default. */
export function handlersOf({ handlers, default: byDefault }: Exports): Handlers {
  return { ...functionsOf(byDefault), ...functionsOf(handlers) };
}

function functionsOf(value: unknown): Handlers {
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).flatMap(([name, one]): [string, NodeHandler][] =>
    isHandler(one) ? [[name, one]] : [],
  );
  return Object.fromEntries(entries);
}

function isHandler(value: unknown): value is NodeHandler {
  return typeof value === 'function';
}

/** The actors that a module exports: by default, in `actors`, or by any name. */
export function actorsOf(exports: Exports): Actor[] {
  const found = new Set<Actor>();
  for (const value of Object.values(exports)) {
    for (const candidate of Array.isArray(value) ? value : [value]) {
      if (isActor(candidate)) found.add(candidate);
    }
  }
  return [...found];
}

function isActor(value: unknown): value is Actor {
  if (typeof value !== 'object' || value === null) return false;
  if (!('id' in value && 'actions' in value && 'handle' in value)) return false;
  return (
    typeof value.id === 'string' &&
    Array.isArray(value.actions) &&
    typeof value.handle === 'function'
  );
}

/** The tasks that a module exports as `tasks`. UsageError where it does not. */
export async function tasksOf({ tasks }: Exports, path: string): Promise<TaskSource> {
  const source: unknown = typeof tasks === 'function' ? await tasks() : tasks;
  if (isTaskSource(source)) return source;
  throw new UsageError(
    `${path} exports neither a graph nor tasks. Export a graph: export default g.outputs({ ... }); or an iterable of tasks, an async iterable, or a function that returns one: export const tasks = [...].`,
  );
}

/** What it gives is checked where it is inserted. */
function isTaskSource(value: unknown): value is TaskSource {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}
