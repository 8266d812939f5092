import { InvalidOptionError } from '../errors.js';
import type { GraphDefinition } from '../graph/node-definition.js';
import type { OwnedTask, TaskStore } from '../store/task-store.js';
import type { ActionContext, ActionSettings, Actor, ActorResult } from '../worker/actor.js';
import { taskId } from './names.js';
import { type Needs, needsOf } from './needs.js';
import { performInput, performRun } from './perform-graph.js';
import { performItems, performJoin, performMapGate } from './perform-map.js';
import { performSpawnJoin } from './perform-spawn.js';
import { performStart } from './perform-start.js';
import { performItem, performTask } from './perform-task.js';
import { performEvent, performEventGate, performSleep } from './perform-wait.js';
import type { NodeHandler, Performing } from './performing.js';
import type { Work } from './plan.js';
import { planOf } from './planner.js';
import { reachableGraphs } from './reachable-graphs.js';
import { RunReader, type Wanted } from './run-reader.js';

export interface GraphActorOptions {
  /** Handlers of the actions that nodes name. A node whose handler is not there is left to other workers. */
  readonly handlers?: Readonly<Record<string, NodeHandler>>;
  /** Default `'graphs'`. */
  readonly actorId?: string;
}

/**
 * Performs the nodes of graphs and of those that they spawn, and what signalbox does itself for their runs. Tasks of other graphs, and of other
 * versions and shapes of these, are not among its actions. InvalidOptionError for two graphs of one name and version.
 */
export class GraphActor implements Actor {
  readonly id: string;
  readonly actions: readonly string[];
  readonly settings: Readonly<Record<string, ActionSettings>>;
  readonly #works = new Map<string, Performable>();
  readonly #store: TaskStore;
  readonly #reader: RunReader;
  readonly #handlers: Readonly<Record<string, NodeHandler>>;

  constructor(
    store: TaskStore,
    graphs: readonly GraphDefinition[],
    options: GraphActorOptions = {},
  ) {
    this.#store = store;
    this.#reader = RunReader.over(store);
    this.#handlers = options.handlers ?? {};
    this.id = options.actorId ?? 'graphs';
    for (const graph of reachableGraphs(graphs)) this.#addGraph(graph);
    this.actions = [...this.#works.keys()];
    this.settings = Object.fromEntries(
      Array.from(this.#works, ([action, { work }]) => [action, settingsOf(work)]),
    );
    if (this.actions.length === 0) throw new InvalidOptionError('graphs', 'are none; give one');
  }

  #addGraph(graph: GraphDefinition): void {
    for (const work of planOf(graph).works.values()) {
      if (this.#works.has(work.action)) {
        const name = `${graph.name}@${graph.version}`;
        throw new InvalidOptionError('graphs', `hold two different ${name}; raise a version`);
      }
      if (this.#canPerform(work)) {
        this.#works.set(work.action, { work, needs: needsOf(work), perform: performerOf(work) });
      }
    }
  }

  #canPerform(work: Work): boolean {
    if (work.role !== 'task' && work.role !== 'item') return true;
    const { action } = work.node;
    return action === null || Object.hasOwn(this.#handlers, action);
  }

  /** Reads all that the tasks of a claim depend on. */
  prepare(tasks: readonly OwnedTask[]): Promise<RunReader> {
    return this.#reader.ahead(
      tasks.flatMap((task) => {
        const known = this.#works.get(task.action);
        return known ? wantedBy(known, task) : [];
      }),
    );
  }

  handle(task: OwnedTask, context: ActionContext): Promise<ActorResult> {
    const known = this.#works.get(task.action);
    if (!known) {
      const problem = `${task.action} is of none of the graphs`;
      return Promise.reject(new InvalidOptionError('action', problem));
    }
    const { work, perform } = known;
    return perform({
      work,
      task,
      context,
      run: runOf(work, task.id),
      reader: context.prepared instanceof RunReader ? context.prepared : this.#reader,
      store: this.#store,
      handlers: this.#handlers,
    });
  }
}

interface Performable {
  readonly work: Work;
  readonly needs: Needs;
  readonly perform: Performer<Work>;
}

function wantedBy({ work, needs }: Performable, task: OwnedTask): Wanted {
  const run = runOf(work, task.id);
  const outcomes = needs.outcomes.map((path) => taskId(run, path));
  if (work.role === 'item' && work.zip.over !== null) {
    outcomes.push(taskId(run, work.zip.over) + task.id.slice(task.id.lastIndexOf('/')));
  }
  const statuses = needs.statuses.map((path) => taskId(run, path));
  return { body: task.body, outcomes, statuses, run: needs.input ? run : null };
}

/** The id of a task without what comes after the run. */
function runOf({ path, role }: Work, id: string): string {
  const task = role === 'item' ? id.slice(0, id.lastIndexOf('/')) : id;
  return path === '' ? task : task.slice(0, -(path.length + 1));
}

function settingsOf(work: Work): ActionSettings {
  if (work.role !== 'task' && work.role !== 'item') return {};
  const { timeoutMs } = work.node.settings;
  return timeoutMs === null ? {} : { timeoutMs };
}

type Performer<W extends Work> = (performing: Performing<W>) => Promise<ActorResult>;

/** What each role of a task does. */
const PERFORMERS: { readonly [R in Work['role']]: Performer<Extract<Work, { role: R }>> } = {
  start: performStart,
  run: performRun,
  task: performTask,
  'spawn-join': performSpawnJoin,
  items: performItems,
  item: performItem,
  join: performJoin,
  'map-gate': performMapGate,
  input: performInput,
  'event-gate': performEventGate,
  event: performEvent,
  sleep: performSleep,
};

function performerOf({ role }: Work): Performer<Work> {
  // It is called with work of this very role.
  return PERFORMERS[role] as Performer<Work>;
}
