import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { Json } from '../store/task-store.js';
import type { Actor } from '../worker/actor.js';
import { isTaskList, parseTaskList } from '../workflow/task-list.js';
import { isWfFormat, toTasks, type WfFormatOptions } from '../workflow/wf-format.js';
import { UsageError } from './cli-errors.js';
import { describeError } from './error-report.js';
import { loadWorkflowModule, type TaskSource } from './modules.js';

/** The tasks of a file, and the actors that come with them. */
export interface RunSource {
  readonly tasks: TaskSource;
  readonly actors: readonly Actor[];
}

const MODULE_EXTENSIONS: ReadonlySet<string> = new Set([
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
]);

/** Reads a task list, a WfFormat workflow, or a module. UsageError, InvalidFileError. */
export async function readRunSource(file: string, options: WfFormatOptions): Promise<RunSource> {
  if (MODULE_EXTENSIONS.has(extname(file))) return loadWorkflowModule(file);
  const document = await readJson(file);
  if (isWfFormat(document)) return { tasks: toTasks(document, options), actors: [] };
  if (isTaskList(document)) return { tasks: parseTaskList(document), actors: [] };
  throw new UsageError(
    `${file} is neither a list of tasks ([{ "id", "action", ... }] or { "tasks": [...] }) nor a WfFormat workflow ({ "schemaVersion", "workflow" }).`,
  );
}

async function readJson(file: string): Promise<Json> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${describeError(error).message}.`, {
      cause: error,
    });
  }
  try {
    const document: Json = JSON.parse(text.replace(/^\ufeff/, ''));
    return document;
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${describeError(error).message}.`, { cause: error });
  }
}

/** The namespace that a file's tasks get unless another is given: its base name. Dots, which part namespaces, become dashes. */
export function defaultRunId(file: string): string {
  return basename(file, extname(file)).replaceAll('.', '-') || 'run';
}
