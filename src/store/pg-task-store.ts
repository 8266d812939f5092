import { InvalidTokenError } from '../errors.js';
import { BodySchemas } from './body-schemas.js';
import { bodyText } from './body-text.js';
import type { Database, Query, RawRow } from './database.js';
import { checkDuration, toInterval } from './durations.js';
import { explainTask } from './explain-task.js';
import { insertBatch, insertOneUnique } from './insert-tasks.js';
import { checkVersion } from './install.js';
import { listPauses, pauseLanes, resumeLanes, setLimits, toLanes } from './lanes.js';
import { cleanTasks, countTasks, purgeTasks } from './maintain-tasks.js';
import { TaskClaims } from './own-tasks.js';
import { isToken, returnBatch, returnWithTasks } from './return-tasks.js';
import {
  ATTEMPT_COLUMNS,
  TASK_COLUMNS,
  toAttempt,
  toOutcome,
  toTask,
  toTaskBody,
  toWatchReport,
} from './rows.js';
import { listRunParts, listRuns } from './runs.js';
import { toSqlFilter } from './task-filter.js';
import type {
  BodySchema,
  CancelOptions,
  CleanOptions,
  DeleteOptions,
  GetOptions,
  HeldTask,
  InsertOptions,
  LaneFilter,
  Limits,
  LiveWorker,
  OutcomeOptions,
  OwnedTask,
  OwnRequest,
  Pause,
  ProgressReport,
  PurgeOptions,
  ReadyRequest,
  RerunOptions,
  ReturnReport,
  RunFilter,
  RunPart,
  RunRow,
  SignalOptions,
  SizeOptions,
  Task,
  TaskBody,
  TaskCount,
  TaskFilter,
  TaskInput,
  TaskOutcome,
  TaskReturn,
  TaskReturnOutcome,
  TaskStanding,
  TaskUpdate,
  WatchReport,
  WorkerInfo,
} from './task-store.js';
import { updateTasks } from './update-tasks.js';
import { announceWorker, listWorkers, retireWorker } from './workers.js';

export interface StoreOptions {
  /** Results longer than this, as JSON, are refused: ResultTooLargeError. Default 10 MiB. */
  maxResultBytes?: number;
}

const DEFAULT_MAX_RESULT_BYTES = 10 * 1024 * 1024;
const LIST_PAGE_SIZE = 1_000;
/** Times as long as the sleep: a sleeper that comes back when its time is up finds its word still there. */
const WORD_LASTS = 1.1;

/** The verbs of sql/functions as methods. What they promise is said at TaskStore. */
export class PgTaskStore {
  protected readonly database: Database;
  readonly #bodySchemas = new BodySchemas();
  readonly #claims: TaskClaims;
  readonly #maxResultBytes: number;
  #installed: Promise<void> | undefined;
  /** Runs a statement in a transaction of its own, once the schema is known to fit. */
  protected readonly query: Query = (text, values) => this.#call(text, values);

  constructor(database: Database, options: StoreOptions = {}) {
    this.database = database;
    this.#claims = new TaskClaims(database);
    this.#maxResultBytes = options.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES;
  }

  async insertTasks(
    tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>,
    options: InsertOptions = {},
  ): Promise<{ inserted: number }> {
    await this.#checkInstalled();
    return { inserted: await insertBatch(this.database, tasks, this.#bodySchemas, options.tx) };
  }

  async insertUnique(
    task: TaskInput & { uniqueKey: string },
    options: InsertOptions = {},
  ): Promise<{ inserted: boolean; id: string }> {
    await this.#checkInstalled();
    const holder = await insertOneUnique(this.database, task, this.#bodySchemas, options.tx);
    return { inserted: holder === null, id: holder ?? task.id };
  }

  async ownTasks(request: OwnRequest): Promise<OwnedTask[]> {
    await this.#checkInstalled();
    return this.#claims.own(request);
  }

  async extendTaskDeadline(id: string, token: string, maxDurationMs: number): Promise<void> {
    const [held] = await this.extendTaskDeadlines([{ id, token }], maxDurationMs);
    if (held === undefined) throw new InvalidTokenError(id);
  }

  async extendTaskDeadlines(held: readonly HeldTask[], maxDurationMs: number): Promise<string[]> {
    checkDuration('maxDurationMs', maxDurationMs);
    const text = 'select signalbox.extend_task_deadlines($1, $2, $3, null, $4)';
    const toDuration = (one: HeldTask) => {
      const durationMs = one.maxDurationMs === undefined ? maxDurationMs : one.maxDurationMs;
      return durationMs === null ? null : toInterval(durationMs);
    };
    return this.#stillHeld(held, text, toDuration, ({ isAsked = false }) => isAsked);
  }

  async beginTasks(held: readonly HeldTask[]): Promise<string[]> {
    return this.#stillHeld(held, 'select signalbox.begin_tasks($1, $2)');
  }

  async reportProgress(reports: readonly ProgressReport[]): Promise<string[]> {
    const text = 'select signalbox.report_progress($1, $2, $3)';
    return this.#stillHeld(reports, text, ({ progress }) => JSON.stringify(progress));
  }

  async returnTask(id: string, token: string, outcome: TaskReturnOutcome): Promise<void> {
    const [report] = await this.returnTasks([{ id, token, ...outcome }]);
    if (report && !report.ok) throw report.error;
  }

  async returnTasks(returns: readonly TaskReturn[]): Promise<ReturnReport[]> {
    await this.#checkInstalled();
    const alone = returns.filter((one) => one.tasks?.length);
    if (alone.length === 0) return returnBatch(this.database, returns, this.#maxResultBytes);
    const batch = returns.filter((one) => !one.tasks?.length);
    const reports = new Map(
      zip(batch, await returnBatch(this.database, batch, this.#maxResultBytes)),
    );
    for (const one of alone) {
      reports.set(
        one,
        await returnWithTasks(this.database, one, this.#bodySchemas, this.#maxResultBytes),
      );
    }
    return returns.flatMap((one) => reports.get(one) ?? []);
  }

  async getTask(id: string, options: GetOptions = {}): Promise<Task | null> {
    const [task] = await this.getTasks([id]);
    if (!task) return null;
    if (!options.attempts) return task;
    const rows = await this.#call(`select ${ATTEMPT_COLUMNS} from signalbox.list_attempts($1)`, [
      id,
    ]);
    return { ...task, attempts: rows.map(toAttempt) };
  }

  async getTasks(ids: readonly string[]): Promise<Task[]> {
    const rows = await this.#call(`select ${TASK_COLUMNS} from signalbox.get_tasks($1) t`, [ids]);
    const tasks = new Map(rows.map((row) => [row[0], toTask(row)]));
    return ids.flatMap((id) => tasks.get(id) ?? []);
  }

  async getOutcomes(ids: readonly string[], options: OutcomeOptions = {}): Promise<TaskOutcome[]> {
    const rows = await this.#call(
      'select id, status_code, status, result from signalbox.get_outcomes($1, $2, $3)',
      [ids, options.results ?? true, options.maxBytes ?? null],
    );
    return rows.map(toOutcome);
  }

  async getBodies(ids: readonly string[], options: SizeOptions = {}): Promise<TaskBody[]> {
    const rows = await this.#call('select id, body from signalbox.get_bodies($1, $2)', [
      ids,
      options.maxBytes ?? null,
    ]);
    return rows.map(toTaskBody);
  }

  async *listTasks(filter: TaskFilter = {}): AsyncGenerator<Task, void> {
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    let after = '';
    while (left > 0) {
      const pageSize = Math.min(left, LIST_PAGE_SIZE);
      const page = await this.#listPage(filter, after, pageSize);
      yield* page;
      left -= page.length;
      if (page.length < pageSize) return;
      after = page.at(-1)?.id ?? after;
    }
  }

  countTasks(filter: Omit<TaskFilter, 'limit'> = {}): Promise<TaskCount[]> {
    return countTasks(this.query, filter);
  }

  listRuns(filter: RunFilter = {}): Promise<RunRow[]> {
    return listRuns(this.query, filter);
  }

  listRunParts(id: string): Promise<RunPart[]> {
    return listRunParts(this.query, id);
  }

  why(id: string): Promise<TaskStanding> {
    return explainTask(this.query, id);
  }

  updateTasks(updates: readonly TaskUpdate[]): Promise<void> {
    return updateTasks(this.query, updates, this.#bodySchemas);
  }

  async signalTasks(ids: readonly string[], options: SignalOptions = {}): Promise<number> {
    return this.#count('select signalbox.signal_tasks($1, $2, null, $3)', [
      ids,
      options.failed ?? false,
      bodyText(ids[0] ?? '', options.result),
    ]);
  }

  async cancelTasks(ids: readonly string[], options: CancelOptions = {}): Promise<number> {
    return this.#count('select signalbox.cancel_tasks($1, $2, $3)', [
      ids,
      options.status ?? null,
      options.downstream ?? false,
    ]);
  }

  async rerunTasks(ids: readonly string[], options: RerunOptions = {}): Promise<number> {
    return this.#count('select signalbox.rerun_tasks($1, $2, $3)', [
      ids,
      options.downstream ?? false,
      options.startAfter ?? null,
    ]);
  }

  async deleteTasks(ids: readonly string[], options: DeleteOptions = {}): Promise<number> {
    const sparesOwned = options.force === false;
    return this.#count('select signalbox.delete_tasks($1, $2)', [ids, sparesOwned]);
  }

  purgeTasks(filter: TaskFilter, options: PurgeOptions = {}): Promise<number> {
    return purgeTasks(this.query, filter, options);
  }

  cleanTasks(options: CleanOptions = {}): Promise<number> {
    return cleanTasks(this.query, options);
  }

  pause(lanes: LaneFilter): Promise<void> {
    return pauseLanes(this.query, lanes);
  }

  resume(lanes: LaneFilter): Promise<boolean> {
    return resumeLanes(this.query, lanes);
  }

  listPauses(): Promise<Pause[]> {
    return listPauses(this.query);
  }

  setLimits(limitKey: string, limits: Limits): Promise<void> {
    return setLimits(this.query, limitKey, limits);
  }

  announceWorker(worker: WorkerInfo, forMs: number): Promise<void> {
    return announceWorker(this.query, worker, forMs);
  }

  retireWorker(id: string): Promise<void> {
    return retireWorker(this.query, id);
  }

  listWorkers(): Promise<LiveWorker[]> {
    return listWorkers(this.query);
  }

  registerBodySchema(action: string, schema: BodySchema): void {
    this.#bodySchemas.register(action, schema);
  }

  /** Has the ends of tasks notified on `channel`; the reports are in no order. */
  async watchTasks(ids: readonly string[], channel: string): Promise<WatchReport[]> {
    const rows = await this.#call('select * from signalbox.watch_tasks($1, $2)', [ids, channel]);
    return rows.map(toWatchReport);
  }

  /**
   * Asks for a `ready` notification on `channel` when one of the lanes gets a task within `timeoutMs`, and
   * resolves with the milliseconds until there is one as far as is known: 0: now; Infinity: not known.
   */
  async sleepOnLanes(request: ReadyRequest, channel: string, timeoutMs: number): Promise<number> {
    const { queues, actions } = toLanes(request);
    const [word] = await this.#call(
      `select is_standing, 1000 * extract(epoch from ready_at - signalbox.now())
       from signalbox.sleep_on_lanes($1, $2, $3, signalbox.now() + $4::interval)`,
      [channel, queues, actions, toInterval(timeoutMs * WORD_LASTS)],
    );
    if (word?.[0] === 't') return toMsUntil(word[1]);
    // A statement of its own: it must see what became ready before the one above was committed.
    const [row] = await this.#call(
      `select 1000 * extract(epoch from signalbox.next_ready_at($1, $2, n) - n)
       from (select signalbox.now() as n) as clock`,
      [queues, actions],
    );
    return toMsUntil(row?.[0]);
  }

  /** Takes back what `sleepOnLanes` asked for. */
  async leaveLanes(request: ReadyRequest, channel: string): Promise<void> {
    const { queues, actions } = toLanes(request);
    await this.#call('select signalbox.leave_lanes($1, $2, $3)', [channel, queues, actions]);
  }

  /** Forgets that the version fits: after the schema was changed. */
  protected forgetVersion(): void {
    this.#installed = undefined;
  }

  async #listPage(filter: TaskFilter, after: string, pageSize: number): Promise<Task[]> {
    const { from, end, conditions } = toSqlFilter(filter);
    const rows = await this.#call(
      `select ${TASK_COLUMNS}
       from signalbox.list_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) t`,
      [from, after, end, pageSize, ...conditions],
    );
    return rows.map(toTask);
  }

  async #call(text: string, values: readonly unknown[]): Promise<RawRow[]> {
    await this.#checkInstalled();
    return this.database.rows(text, values);
  }

  /** The ids that a verb on held tasks says are still held, in the order given. */
  async #stillHeld<H extends HeldTask>(
    held: readonly H[],
    text: string,
    ...columns: ((one: H) => unknown)[]
  ): Promise<string[]> {
    const possible = held.filter(({ token }) => isToken(token));
    const ids = possible.map(({ id }) => id);
    const tokens = possible.map(({ token }) => token);
    const others = columns.map((read) => possible.map(read));
    const rows = await this.#call(text, [ids, tokens, ...others]);
    const stillHeld = new Set(rows.map(([id]) => id));
    return ids.filter((id) => stillHeld.has(id));
  }

  async #count(text: string, values: readonly unknown[]): Promise<number> {
    const [row] = await this.#call(text, values);
    return Number(row?.[0] ?? 0);
  }

  /** Asks once; again if it failed. */
  #checkInstalled(): Promise<void> {
    this.#installed ??= checkVersion(this.database).catch((error) => {
      this.#installed = undefined;
      throw error;
    });
    return this.#installed;
  }
}

function zip<A, B>(firsts: readonly A[], seconds: readonly B[]): [A, B][] {
  return firsts.flatMap((first, i) => {
    const second = seconds[i];
    return second === undefined ? [] : [[first, second]];
  });
}

/** Milliseconds from now, or null: it is not known. What is past is now. */
function toMsUntil(ms: string | null | undefined): number {
  return ms == null ? Number.POSITIVE_INFINITY : Math.max(0, Number(ms));
}
