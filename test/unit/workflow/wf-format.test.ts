import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/store/task-store.js';
import { InvalidFileError } from '../../../src/workflow/invalid-file-error.js';
import { isWfFormat, toTasks } from '../../../src/workflow/wf-format.js';

const asSleeps = { speedUp: 1, exec: false };
const asCommands = { speedUp: 1, exec: true };

function workflow14(tasks: readonly Json[]): Json {
  return { name: 'sample', schemaVersion: '1.4', workflow: { tasks } };
}

function workflow15(tasks: readonly Json[], executions: readonly Json[]): Json {
  const workflow = { specification: { tasks }, execution: { tasks: executions } };
  return { name: 'sample', schemaVersion: '1.5', workflow };
}

const fork = workflow14([
  { name: 'split', runtimeInSeconds: 1.5, parents: [], children: ['left', 'right'] },
  { name: 'left', runtimeInSeconds: 2, parents: ['split'], children: [] },
  { name: 'right', runtimeInSeconds: 3, command: { program: 'echo', arguments: ['hi'] } },
]);

function edgesOf(document: Json): string[] {
  const tasks = toTasks(document, asSleeps);
  return tasks.flatMap(({ id, toSignalAfter = [] }) => toSignalAfter.map((to) => `${id}>${to}`));
}

function faultOf(document: Json, options = asSleeps): InvalidFileError {
  try {
    toTasks(document, options);
  } catch (error) {
    if (error instanceof InvalidFileError) return error;
    throw error;
  }
  throw new Error('no fault was found');
}

describe('toTasks', () => {
  test('takes the union of parents and children, each edge once', () => {
    expect(edgesOf(fork)).toEqual(['split>left', 'split>right']);
  });

  test('divides the recorded runtime by the speed-up', () => {
    const [split] = toTasks(fork, { speedUp: 3, exec: false });
    expect(split).toMatchObject({ id: 'split', action: 'sleep', body: { ms: 500 } });
  });

  test('performs the recorded command with exec, its arguments as they are', () => {
    const document = workflow14([
      { name: 'a', runtimeInSeconds: 1, command: { program: 'echo', arguments: ['x y'] } },
      { name: 'b', runtimeInSeconds: 1, command: { program: 'true' } },
    ]);
    expect(toTasks(document, asCommands)).toMatchObject([
      { action: 'exec', body: { command: ['echo', 'x y'] } },
      { action: 'exec', body: { command: ['true'] } },
    ]);
  });

  test('runs a task only if all of its parents succeeded', () => {
    expect(toTasks(fork, asSleeps).map(({ runWhen }) => runWhen)).toEqual(
      Array(3).fill('all_succeeded'),
    );
  });

  test('reads tasks, edges by id and runtimes of 1.5 from where they are', () => {
    const document = workflow15(
      [
        { name: 'copy', id: 'copy_1', parents: [], children: ['copy_2'] },
        { name: 'copy', id: 'copy_2', parents: ['copy_1'], children: [] },
      ],
      [
        { id: 'copy_2', runtimeInSeconds: 4, command: { program: 'cp' } },
        { id: 'copy_1', runtimeInSeconds: 2, command: { program: 'cp' } },
      ],
    );
    expect(toTasks(document, asSleeps)).toMatchObject([
      { id: 'copy_1', body: { ms: 2_000 }, toSignalAfter: ['copy_2'] },
      { id: 'copy_2', body: { ms: 4_000 }, toSignalAfter: [] },
    ]);
  });

  test('lets a 1.4 edge name a task by its id', () => {
    const document = workflow14([
      { name: 'a', id: 'ID1', runtimeInSeconds: 0, children: ['ID2'] },
      { name: 'b', id: 'ID2', runtimeInSeconds: 0 },
    ]);
    expect(edgesOf(document)).toEqual(['a>b']);
  });
});

describe('a fault is located by its path', () => {
  const task = { name: 'a', runtimeInSeconds: 1 };

  test.each<[string, Json, string]>([
    ['another version', { schemaVersion: '1.3', workflow: {} }, 'schemaVersion'],
    ['no version', { workflow: {} }, 'schemaVersion'],
    ['no tasks', { schemaVersion: '1.4', workflow: {} }, 'workflow.tasks'],
    ['a task that is no object', workflow14([task, 7]), 'workflow.tasks[1]'],
    ['a task without a name', workflow14([{ runtimeInSeconds: 1 }]), 'workflow.tasks[0].name'],
    ['two tasks of one name', workflow14([task, task]), 'workflow.tasks[1]'],
    ['no runtime', workflow14([{ name: 'a' }]), 'workflow.tasks[0].runtimeInSeconds'],
    [
      'a negative runtime',
      workflow14([{ name: 'a', runtimeInSeconds: -1 }]),
      'workflow.tasks[0].runtimeInSeconds',
    ],
    [
      'an unknown parent',
      workflow14([{ ...task, parents: ['a', 'nobody'] }]),
      'workflow.tasks[0].parents[1]',
    ],
    [
      'a child that two tasks could be',
      workflow14([
        { ...task, children: ['x'] },
        { name: 'b', id: 'x', runtimeInSeconds: 1 },
        { name: 'c', id: 'x', runtimeInSeconds: 1 },
      ]),
      'workflow.tasks[0].children[0]',
    ],
    [
      'a 1.5 task without a recorded run',
      workflow15([{ name: 'a', id: 'a1' }], []),
      'workflow.specification.tasks[0].id',
    ],
  ])('%s', (_, document, path) => {
    expect(faultOf(document).path).toBe(path);
  });

  test('a command that is missing, with exec', () => {
    expect(faultOf(workflow14([task]), asCommands).path).toBe('workflow.tasks[0].command');
  });
});

test('isWfFormat tells workflows from task lists', () => {
  expect(isWfFormat(fork)).toBe(true);
  expect(isWfFormat([])).toBe(false);
  expect(isWfFormat({ tasks: [] })).toBe(false);
});

const instances = new URL('../../../../shared/instances/', import.meta.url);
const files = existsSync(instances)
  ? readdirSync(instances).filter((file) => file.endsWith('.json'))
  : [];

interface Recorded {
  name: string;
  parents?: string[];
  children?: string[];
}

describe.skipIf(files.length === 0)('real instances', () => {
  test.each(files)('%s keeps every task and every edge', (file) => {
    const text = readFileSync(new URL(file, instances), 'utf8');
    const { workflow }: { workflow: { tasks: Recorded[] } } = JSON.parse(text);
    const edges = new Set<string>();
    for (const { name, parents = [], children = [] } of workflow.tasks) {
      for (const parent of parents) edges.add(`${parent}>${name}`);
      for (const child of children) edges.add(`${name}>${child}`);
    }
    const tasks = toTasks(JSON.parse(text), asSleeps);
    expect(tasks).toHaveLength(workflow.tasks.length);
    expect(edges.size).toBeGreaterThan(0);
    expect(new Set(edgesOf(JSON.parse(text)))).toEqual(edges);
    expect(edgesOf(JSON.parse(text))).toHaveLength(edges.size);
  });
});
