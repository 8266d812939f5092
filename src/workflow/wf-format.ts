import type { Json, TaskInput } from '../store/task-store.js';
import { InvalidFileError } from './invalid-file-error.js';
import {
  elements,
  fault,
  isJsonObject,
  type Located,
  member,
  optional,
  readNumber,
  readString,
  readStrings,
} from './json-reader.js';

/*
 * WfFormat, the JSON form in which the WfCommons project publishes workflows and their executions (wfcommons.org).
 *
 *        the tasks and their edges          their recorded runs              an edge names a task by its
 *  1.4   workflow.tasks                     the same objects                 name
 *  1.5   workflow.specification.tasks       workflow.execution.tasks, by id  id
 *
 * An instance may give an edge at its source (`children`), at its target (`parents`) or at both: the union counts.
 */

export interface WfFormatOptions {
  /** Recorded runtimes are divided by this, a number above 0. */
  speedUp: number;
  /** Perform each task as its recorded command instead of a sleep of its recorded runtime. */
  exec: boolean;
}

/** A task of the workflow: where its edges are written, and where its recorded run is. */
interface Node {
  readonly id: string;
  /** Another name that edges may use for it. */
  readonly alias: string | undefined;
  readonly at: Located;
  readonly execution: Located;
}

/** Whether a document has the outer form of a WfFormat workflow, of whatever version. */
export function isWfFormat(document: Json): boolean {
  return isJsonObject(document) && isJsonObject(document.workflow);
}

/**
 * A workflow as tasks for the built-in actions: `sleep` for its recorded runtime, or `exec` of its command.
 *
 * A task runs only after all of its parents have succeeded, and is skipped otherwise. Its id is its name in 1.4 and its id
 * in 1.5. InvalidFileError, with the path of the fault. Cycles are found when the tasks are inserted.
 */
export function toTasks(workflow: Json, options: WfFormatOptions): TaskInput[] {
  const nodes = readNodes({ value: workflow, path: '' });
  const children = readEdges(nodes);
  return nodes.map((node) => ({
    id: node.id,
    ...(options.exec ? toExec(node) : toSleep(node, options.speedUp)),
    toSignalAfter: [...(children.get(node.id) ?? [])],
    runWhen: 'all_succeeded',
  }));
}

function toSleep({ execution }: Node, speedUp: number): Pick<TaskInput, 'action' | 'body'> {
  const runtime = member(execution, 'runtimeInSeconds');
  const seconds = readNumber(runtime);
  if (seconds < 0) throw fault(runtime, 'a number of seconds, 0 or more');
  return { action: 'sleep', body: { ms: Math.round((seconds / speedUp) * 1e6) / 1e3 } };
}

/** Without `maxTries`: a command that fails aborts its task all the same, but one that a crash cut off is run again. */
function toExec({ execution }: Node): Pick<TaskInput, 'action' | 'body'> {
  const command = member(execution, 'command');
  const program = readString(member(command, 'program'));
  const args = optional(member(command, 'arguments'), readStrings) ?? [];
  return { action: 'exec', body: { command: [program, ...args] } };
}

function readNodes(root: Located): Node[] {
  const version = member(root, 'schemaVersion');
  const workflow = member(root, 'workflow');
  switch (version.value) {
    case '1.4':
      return unique(elements(member(workflow, 'tasks')).map(readNode14));
    case '1.5':
      return unique(readNodes15(workflow));
    default:
      throw fault(version, '"1.4" or "1.5"');
  }
}

function readNode14(at: Located): Node {
  const alias = optional(member(at, 'id'), readString);
  return { id: readString(member(at, 'name')), alias, at, execution: at };
}

function readNodes15(workflow: Located): Node[] {
  const recorded = member(workflow, 'execution');
  const executions = new Map<string, Located>();
  if (recorded.value !== undefined) {
    for (const at of elements(member(recorded, 'tasks'))) {
      executions.set(readString(member(at, 'id')), at);
    }
  }
  return elements(member(member(workflow, 'specification'), 'tasks')).map((at) => {
    const id = readString(member(at, 'id'));
    const execution = executions.get(id);
    if (!execution) {
      const problem = `is ${JSON.stringify(id)}, which workflow.execution.tasks says nothing of`;
      throw new InvalidFileError(`${at.path}.id`, problem);
    }
    return { id, alias: optional(member(at, 'name'), readString), at, execution };
  });
}

function unique(nodes: Node[]): Node[] {
  const seen = new Map<string, Node>();
  for (const node of nodes) {
    const first = seen.get(node.id);
    if (first) {
      const problem = `and ${first.at.path} are both called ${JSON.stringify(node.id)}`;
      throw new InvalidFileError(node.at.path, problem);
    }
    seen.set(node.id, node);
  }
  return nodes;
}

/** The ids of each task's children, from both ends of the edges. */
function readEdges(nodes: readonly Node[]): Map<string, Set<string>> {
  const resolve = resolver(nodes);
  const children = new Map(nodes.map(({ id }) => [id, new Set<string>()]));
  for (const { id, at } of nodes) {
    for (const child of readReferences(member(at, 'children'), resolve))
      children.get(id)?.add(child);
    for (const parent of readReferences(member(at, 'parents'), resolve))
      children.get(parent)?.add(id);
  }
  return children;
}

function readReferences(list: Located, resolve: (name: string) => string | undefined): string[] {
  if (list.value === undefined) return [];
  return elements(list).map((reference) => {
    const id = resolve(readString(reference));
    if (id === undefined) throw fault(reference, 'the name of exactly one task of the workflow');
    return id;
  });
}

/** From what an edge names to a task's id: the id itself, or an alias that only one task has. */
function resolver(nodes: readonly Node[]): (name: string) => string | undefined {
  const ids = new Set(nodes.map(({ id }) => id));
  const byAlias = new Map<string, string | undefined>();
  for (const { id, alias } of nodes) {
    if (alias !== undefined) byAlias.set(alias, byAlias.has(alias) ? undefined : id);
  }
  return (name) => (ids.has(name) ? name : byAlias.get(name));
}
