import { dirname, join } from 'node:path';
import { PermanentError } from '../errors.js';
import type { Json, OwnedTask, TaskInput, TaskStore } from '../store/task-store.js';
import type { Actor } from '../worker/actor.js';
import { defineActor } from '../worker/define-actor.js';
import { elements, type Located, readString } from '../workflow/json-reader.js';
import { describeError } from './error-report.js';
import { combineDigests, digestLeaf, type Entry, type EntryKind, walkTree } from './merkle.js';

/** The task whose result is the digest of the whole. */
export const ROOT_TASK_ID = '.';

const KINDS: readonly EntryKind[] = ['file', 'link', 'directory'];

/** A task for each place in the tree, known by its path; each signals the directory that holds it. */
export async function* merkleTasks(
  root: string,
  onTask: () => void,
): AsyncGenerator<TaskInput, void> {
  for await (const { path, kind, entries } of walkTree(root)) {
    onTask();
    yield {
      id: path,
      action: kind,
      ...(kind === 'directory' ? { body: entries.map(({ kind, name }) => [kind, name]) } : {}),
      ...(path === ROOT_TASK_ID ? {} : { toSignalAfter: [dirname(path)] }),
    };
  }
}

/** Digests files and links, and combines what a directory's entries gave: their tasks' results in `store`. */
export function merkleActor(store: TaskStore, root: string): Actor {
  return defineActor('merkle', {
    file: (task) => digestOf(root, task, 'file'),
    link: (task) => digestOf(root, task, 'link'),
    directory: (task) => combine(store, task),
  });
}

/** What cannot be read now is not tried again: a demonstration must come to an end. */
async function digestOf(root: string, { id }: OwnedTask, kind: 'file' | 'link'): Promise<string> {
  try {
    return await digestLeaf(join(root, id), kind);
  } catch (error) {
    throw new PermanentError(describeError(error).message, { cause: error });
  }
}

async function combine(store: TaskStore, task: OwnedTask): Promise<string> {
  if (task.numSignalledFailures > 0) {
    throw new PermanentError(`${task.numSignalledFailures} of its entries have no digest`);
  }
  const entries = readEntries(task.body);
  const children = await store.getTasks(entries.map(({ name }) => join(task.id, name)));
  const results = new Map(children.map(({ id, result }) => [id, result]));
  return combineDigests(
    entries.map((entry) => ({
      ...entry,
      digest: digestIn(results.get(join(task.id, entry.name))),
    })),
  );
}

function digestIn(result: Json | undefined): string {
  if (typeof result === 'string') return result;
  throw new PermanentError('an entry has no digest');
}

function readEntries(body: Json): Entry[] {
  return elements({ value: body, path: 'body' }).map((at) => ({
    kind: readKind({ value: elements(at)[0]?.value, path: `${at.path}[0]` }),
    name: readString({ value: elements(at)[1]?.value, path: `${at.path}[1]` }),
  }));
}

function readKind(at: Located): EntryKind {
  const kind = KINDS.find((known) => known === at.value);
  if (kind === undefined) throw new PermanentError(`${at.path} is no kind of entry`);
  return kind;
}
