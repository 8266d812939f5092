import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Json } from '../../store/task-store.js';
import { isTaskList } from '../../workflow/task-list.js';
import { isWfFormat } from '../../workflow/wf-format.js';
import { UsageError } from '../cli-errors.js';
import { describeError } from '../error-report.js';
import { graphsOf } from '../graph-modules.js';
import { loadModule } from '../load-module.js';
import { GraphSource } from './graph-source.js';
import { moduleSource } from './module-source.js';
import type { RunSource } from './run-source.js';
import { taskListSource } from './task-list-source.js';
import { workflowSource } from './workflow-source.js';

const MODULE_EXTENSIONS: ReadonlySet<string> = new Set([
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
]);

/** Reads a task list, a WfFormat workflow, or a module with tasks or graphs. UsageError, InvalidFileError. */
export async function openSource(file: string): Promise<RunSource> {
  if (MODULE_EXTENSIONS.has(extname(file))) {
    const exports = await loadModule(file);
    const isOfTasks = exports.tasks !== undefined || graphsOf(exports).length === 0;
    return isOfTasks ? moduleSource(file, exports) : new GraphSource(file, exports);
  }
  const document = await readJson(file);
  if (isWfFormat(document)) return workflowSource(file, document);
  if (isTaskList(document)) return taskListSource(file, document);
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
