import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TaskInput } from '../store/task-store.js';
import type { Actor } from '../worker/actor.js';
import { UsageError } from './cli-errors.js';
import { describeError } from './error-report.js';

/** Where tasks come from. */
export type TaskSource = Iterable<TaskInput> | AsyncIterable<TaskInput>;

type Exports = Readonly<Record<string, unknown>>;

/** The actors that modules export: by default, in `actors`, or by any name. UsageError where there are none. */
export async function loadActors(paths: readonly string[]): Promise<Actor[]> {
  const found = new Set<Actor>();
  for (const path of paths) {
    const actors = actorsOf(await importModule(path));
    if (actors.length === 0) {
      throw new UsageError(
        `${path} exports no actor. Export one, like: export default defineActor('name', { action: handler }).`,
      );
    }
    for (const actor of actors) found.add(actor);
  }
  return [...found];
}

/** The actors and the tasks that a module exports. UsageError where it exports no `tasks`. */
export async function loadWorkflowModule(
  path: string,
): Promise<{ actors: Actor[]; tasks: TaskSource }> {
  const exports = await importModule(path);
  return { actors: actorsOf(exports), tasks: await tasksOf(exports, path) };
}

async function importModule(path: string): Promise<Exports> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UsageError(`There is no module ${path}.`);
  try {
    const exports: Exports = await import(pathToFileURL(file).href);
    return exports;
  } catch (error) {
    throw new UsageError(`${path} could not be imported: ${importFailure(error)}`, {
      cause: error,
    });
  }
}

function importFailure(error: unknown): string {
  const { code, message } = describeError(error);
  if (code !== 'ERR_UNKNOWN_FILE_EXTENSION') return message;
  return (
    `this Node (${process.version}) does not read TypeScript. Compile the module, or install tsx and set ` +
    'NODE_OPTIONS="--import tsx"; Node 22.18 and later read it by themselves.'
  );
}

function actorsOf(exports: Exports): Actor[] {
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

async function tasksOf({ tasks }: Exports, path: string): Promise<TaskSource> {
  const source: unknown = typeof tasks === 'function' ? await tasks() : tasks;
  if (isTaskSource(source)) return source;
  throw new UsageError(
    `${path} exports no tasks. Export an iterable, an async iterable, or a function that returns one: export const tasks = [...].`,
  );
}

/** What it gives is checked where it is inserted. */
function isTaskSource(value: unknown): value is TaskSource {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}
