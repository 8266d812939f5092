import type { EventNode } from '../graph/node.js';
import type { GraphDefinition } from '../graph/node-definition.js';
import { validateValue } from '../graph/validate-value.js';
import type { Json, TaskStanding, TaskStore, WaitOptions } from '../store/task-store.js';
import { cancelRun, mustExist } from './cancel-run.js';
import { withCollected } from './collected-rows.js';
import { below, INTERNAL, taskId } from './names.js';
import { readFailures } from './perform-graph.js';
import type { Plan } from './plan.js';
import { planOf } from './planner.js';
import { type RerunOptions, type RerunPreview, rerun } from './rerun.js';
import { RunCancelledError, RunFailedError, UnknownNodeError } from './run-errors.js';
import { type EventOptions, type RunEvent, runEvents } from './run-events.js';
import { type NodeStatus, type RunStatus, readNodes, readStatus } from './run-status.js';

const PAGE_SIZE = 1_000;

/**
 * The handle of a run: nothing but its id and what reads its rows. Any process may make one, for a run that was started
 * anywhere. Every method rejects with TaskNotFoundError where there is no such run.
 */
export class Run<out O> {
  /** `<graph>/<runId>`: the id of the run's own task. */
  readonly id: string;
  readonly #store: TaskStore;
  readonly #plan: Plan;

  constructor(store: TaskStore, graph: GraphDefinition, id: string) {
    this.id = id;
    this.#store = store;
    this.#plan = planOf(graph);
  }

  /**
   * Resolves with the outputs once the run has ended. RunFailedError names the nodes that failed; RunCancelledError;
   * WaitTimeoutError and the signal's end the wait, not the run.
   */
  async result(options: WaitOptions = {}): Promise<O> {
    const { statusCode, status, result } = await this.#store.waitFor(this.id, options);
    if (statusCode === 'cancelled') throw new RunCancelledError(this.id, status);
    if (statusCode !== 'completed') {
      throw new RunFailedError(this.id, status, readFailures(result));
    }
    // The types of outputs are those of the definition, which the caller named the run's graph by.
    return withCollected(this.#store, result ?? {}) as O;
  }

  /** How the run stands, with counts of its nodes and items: one query over its range of ids, whatever their results. */
  status(): Promise<RunStatus> {
    return readStatus(this.#store, this.id);
  }

  /** How each node stands, those of sub-graphs too, in the order of the definition; of maps with counts of items. */
  nodes(): Promise<NodeStatus[]> {
    return readNodes(this.#store, this.#plan, this.id);
  }

  /**
   * Ends all of the run that has not ended, what its nodes insert meanwhile too; resolves with how many tasks. The signals of
   * handlers that run fire when their worker next extends their leases.
   */
  cancel(options: { readonly status?: string } = {}): Promise<number> {
    return cancelRun(this.#store, this.id, options);
  }

  /**
   * Makes nodes, or items of maps, pending again, with all that comes after them; the results of all others are kept.
   * `from: 'failed'`: what failed or was cancelled. With `preview`, nothing is changed. UnknownNodeError.
   */
  async rerun(options: RerunOptions): Promise<RerunPreview> {
    await mustExist(this.#store, this.id);
    return rerun(this.#store, this.#plan, this.id, options);
  }

  /** What happens to the run, from how it stands until it has ended: see RunEvent. */
  events(options: EventOptions = {}): AsyncGenerator<RunEvent, void> {
    return runEvents(this.#store, this.#plan, this.id, options);
  }

  /**
   * Hands an event its payload, which may come before anything waits for it; false: it came already, or came too late.
   * Within a sub-graph, by its path: `sub/approved`. InvalidValueError, and the event still waits.
   */
  async signal<T>(event: EventNode<T> | string, payload?: T): Promise<boolean> {
    const path = typeof event === 'string' ? event : event.id;
    const node = this.#plan.nodes.get(path);
    if (node?.kind !== 'event') throw new UnknownNodeError(this.id, path, 'event');
    const value = node.schema
      ? await validateValue<unknown>(
          node.schema,
          payload,
          `payload of event ${JSON.stringify(path)}`,
        )
      : payload;
    // What is no JSON is refused where it is stored.
    const result = { payload: value as Json };
    const id = taskId(this.id, below(path, INTERNAL.payload));
    if ((await this.#store.signalTasks([id], { result })) > 0) return true;
    await mustExist(this.#store, this.id);
    return false;
  }

  /** What a node, an item (`each/3`), or the run waits for. For people: see TaskStore.why. */
  why(node = ''): Promise<TaskStanding> {
    return this.#store.why(taskId(this.id, node));
  }

  /** Deletes the run and all its tasks, whatever their state; resolves with how many. */
  async delete(): Promise<number> {
    let total = 0;
    for (let ids = await this.#someIds(); ids.length > 0; ids = await this.#someIds()) {
      total += await this.#store.deleteTasks(ids);
    }
    return total + (await this.#store.deleteTasks([this.id]));
  }

  async #someIds(): Promise<string[]> {
    const ids: string[] = [];
    const filter = { idPrefix: `${this.id}/`, limit: PAGE_SIZE };
    for await (const { id } of this.#store.listTasks(filter)) ids.push(id);
    return ids;
  }
}
