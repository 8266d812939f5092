import {
  checkConcurrency,
  checkFunction,
  checkSchema,
  checkText,
  type Fault,
  failAfterOf,
  PERFORM_FIELDS,
  performSettings,
} from './check-options.js';
import { spawnsOf } from './define-spawns.js';
import type { EdgeDefinition, MapDefinition, TaskDefinition } from './node-definition.js';
import type { FailAfter, PerformOptions } from './node-options.js';
import type { AnySchema } from './schema.js';
import type { Spawns } from './spawn.js';

/** The options of a task, their types forgotten. */
export interface WorkOptions extends PerformOptions {
  readonly if?: TaskDefinition['condition'];
  readonly run?: TaskDefinition['run'] | undefined;
  readonly action?: string | { readonly action: string } | undefined;
  readonly output?: AnySchema;
  readonly spawns?: Spawns | undefined;
}

export interface MapWorkOptions extends PerformOptions {
  readonly if?: MapDefinition['condition'];
  readonly run?: MapDefinition['run'] | undefined;
  readonly action?: string | { readonly action: string } | undefined;
  readonly output?: AnySchema;
  readonly spawns?: Spawns | undefined;
  readonly concurrency?: number;
  readonly failAfter?: FailAfter;
}

/** What a node has before its options are looked at. */
export interface NodeBase {
  readonly id: string;
  readonly edges: readonly EdgeDefinition[];
}

export const TASK_FIELDS = ['after', 'if', 'run', 'action', 'output', 'spawns', ...PERFORM_FIELDS];
export const MAP_FIELDS = [...TASK_FIELDS, 'over', 'concurrency', 'failAfter'];

export function defineTask(base: NodeBase, options: WorkOptions, fault: Fault): TaskDefinition {
  return Object.freeze({
    kind: 'task',
    ...base,
    condition: options.if ?? null,
    run: options.run ?? null,
    ...commonOf(options, fault),
  });
}

export function defineMap(
  base: NodeBase & Pick<MapDefinition, 'over' | 'isZipped'>,
  options: MapWorkOptions,
  fault: Fault,
): MapDefinition {
  return Object.freeze({
    kind: 'map',
    ...base,
    condition: options.if ?? null,
    run: options.run ?? null,
    ...commonOf(options, fault),
    concurrency: checkConcurrency(options.concurrency, fault),
    failAfter: failAfterOf(options.failAfter, fault),
  });
}

function commonOf(
  options: WorkOptions | MapWorkOptions,
  fault: Fault,
): Pick<TaskDefinition, 'action' | 'output' | 'settings' | 'spawns'> {
  checkFunction('if', options.if, fault);
  checkFunction('run', options.run, fault);
  return {
    action: actionOf(options, fault),
    output: checkSchema('output', options.output, fault),
    settings: performSettings(options, fault),
    spawns: spawnsOf(options.spawns, fault),
  };
}

function actionOf({ run, action }: WorkOptions | MapWorkOptions, fault: Fault): string | null {
  if ((run === undefined) === (action === undefined)) {
    throw fault('give either run, a handler, or action, the name of one that lives apart');
  }
  if (action === undefined) return null;
  const name = typeof action === 'object' && action !== null ? action.action : action;
  checkText('action', name, fault);
  return name;
}
