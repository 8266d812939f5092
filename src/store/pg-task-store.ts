import type pg from 'pg';
import { InvalidOptionError, InvalidTokenError } from '../errors.js';
import { BodySchemas } from './body-schemas.js';
import { ClaimCursor } from './claim-cursor.js';
import type { Database, RawRow } from './database.js';
import { endOfPrefix } from './id-range.js';
import { insertBatch, insertOneUnique } from './insert-tasks.js';
import { checkVersion } from './install.js';
import { isToken, returnBatch, returnWithTasks } from './return-tasks.js';
import { TASK_COLUMNS, toClaimedPosition, toOwnedTask, toTask, toWatchReport } from './rows.js';
import { readStatusCode } from './status-code.js';
import type {
  BodySchema,
  CancelOptions,
  HeldTask,
  InsertOptions,
  OwnedTask,
  OwnRequest,
  ReadyRequest,
  RerunOptions,
  ReturnReport,
  SignalOptions,
  Task,
  TaskFilter,
  TaskInput,
  TaskReturn,
  TaskReturnOutcome,
  WatchReport,
} from './task-store.js';

const DEFAULT_QUEUES: readonly string[] = Object.freeze(['default']);
const LIST_PAGE_SIZE = 1_000;

/** The verbs of sql/functions as methods. What they promise is said at TaskStore. */
export class PgTaskStore {
  protected readonly database: Database;
  readonly #bodySchemas = new BodySchemas();
  readonly #cursors = new Map<string, ClaimCursor>();
  #installed: Promise<void> | undefined;

  constructor(database: Database) {
    this.database = database;
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
    checkOwnRequest(request);
    const lanes = toLanes(request);
    const cursor = this.#cursorOf(lanes);
    const positions = lanes.queues.map((queue, i) => cursor.at(queue, lanes.actions[i] ?? ''));
    const rows = await this.#claim(request, lanes, request.maxTasks, positions);
    // A claim that began further on and came back short may have passed over something.
    if (rows.length < request.maxTasks && !cursor.isEmpty) {
      cursor.reset();
      rows.push(...(await this.#claim(request, lanes, request.maxTasks - rows.length, [])));
    }
    cursor.advance(rows.map(toClaimedPosition));
    return rows.map(toOwnedTask);
  }

  async extendTaskDeadline(id: string, token: string, maxDurationMs: number): Promise<void> {
    const [held] = await this.extendTaskDeadlines([{ id, token }], maxDurationMs);
    if (held === undefined) throw new InvalidTokenError(id);
  }

  async extendTaskDeadlines(held: readonly HeldTask[], maxDurationMs: number): Promise<string[]> {
    checkDuration('maxDurationMs', maxDurationMs);
    const possible = held.filter(({ token }) => isToken(token));
    const ids = possible.map(({ id }) => id);
    const rows = await this.#call('select signalbox.extend_task_deadlines($1, $2, $3)', [
      ids,
      possible.map(({ token }) => token),
      toInterval(maxDurationMs),
    ]);
    const extended = new Set(rows.map(([id]) => id));
    return ids.filter((id) => extended.has(id));
  }

  async returnTask(id: string, token: string, outcome: TaskReturnOutcome): Promise<void> {
    const [report] = await this.returnTasks([{ id, token, ...outcome }]);
    if (report && !report.ok) throw report.error;
  }

  async returnTasks(returns: readonly TaskReturn[]): Promise<ReturnReport[]> {
    await this.#checkInstalled();
    const alone = returns.filter((one) => one.tasks?.length);
    if (alone.length === 0) return returnBatch(this.database, returns);
    const batch = returns.filter((one) => !one.tasks?.length);
    const reports = new Map(zip(batch, await returnBatch(this.database, batch)));
    for (const one of alone) {
      reports.set(one, await returnWithTasks(this.database, one, this.#bodySchemas));
    }
    return returns.flatMap((one) => reports.get(one) ?? []);
  }

  async getTask(id: string): Promise<Task | null> {
    const [task] = await this.getTasks([id]);
    return task ?? null;
  }

  async getTasks(ids: readonly string[]): Promise<Task[]> {
    const rows = await this.#call(`select ${TASK_COLUMNS} from signalbox.get_tasks($1) t`, [ids]);
    const tasks = new Map(rows.map((row) => [row[0], toTask(row)]));
    return ids.flatMap((id) => tasks.get(id) ?? []);
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

  async signalTasks(ids: readonly string[], options: SignalOptions = {}): Promise<number> {
    return this.#count('select signalbox.signal_tasks($1, $2)', [ids, options.failed ?? false]);
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

  async deleteTasks(ids: readonly string[]): Promise<number> {
    return this.#count('select signalbox.delete_tasks($1)', [ids]);
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
    await this.#call(
      'select signalbox.sleep_on_lanes($1, $2, $3, clock_timestamp() + $4::interval)',
      [channel, queues, actions, toInterval(timeoutMs)],
    );
    // A statement of its own: it must see what became ready before the one above was committed.
    const [row] = await this.#call(
      `select 1000 * extract(epoch from signalbox.next_ready_at($1, $2, n) - n)
       from (select clock_timestamp() as n) as clock`,
      [queues, actions],
    );
    return row?.[0] == null ? Number.POSITIVE_INFINITY : Number(row[0]);
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

  async #claim(
    request: OwnRequest,
    lanes: Lanes,
    maxTasks: number,
    positions: readonly ({ priority: number; seq: number } | undefined)[],
  ): Promise<RawRow[]> {
    return this.#call(
      `select id, token, action, body, queue, priority, num_failures, num_tries, max_tries,
         date_part('epoch', deadline) * 1000, date_part('epoch', max_duration) * 1000, seq
       from signalbox.own_tasks($1, $2, $3, $4, $5, $6, $7)`,
      [
        request.actorId,
        lanes.queues,
        lanes.actions,
        maxTasks,
        request.maxDurationMs === undefined ? null : toInterval(request.maxDurationMs),
        positions.map((position) => position?.priority ?? null),
        positions.map((position) => position?.seq ?? null),
      ],
    );
  }

  #cursorOf(lanes: Lanes): ClaimCursor {
    const key = JSON.stringify(lanes);
    let cursor = this.#cursors.get(key);
    if (!cursor) {
      cursor = new ClaimCursor();
      this.#cursors.set(key, cursor);
    }
    return cursor;
  }

  async #listPage(filter: TaskFilter, after: string, pageSize: number): Promise<Task[]> {
    const { idPrefix = '' } = filter;
    const rows = await this.#call(
      `select ${TASK_COLUMNS} from signalbox.list_tasks($1, $2, $3, $4, $5, $6, $7) t`,
      [
        idPrefix,
        after,
        endOfPrefix(idPrefix),
        pageSize,
        filter.actions ?? null,
        filter.queues ?? null,
        filter.statusCodes?.map(readStatusCode) ?? null,
      ],
    );
    return rows.map(toTask);
  }

  async #call(text: string, values: readonly unknown[], client?: pg.ClientBase) {
    await this.#checkInstalled();
    return this.database.rows(text, values, client);
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

/** Lane i is (queues[i], actions[i]). */
interface Lanes {
  readonly queues: readonly string[];
  readonly actions: readonly string[];
}

function toLanes({ queues = DEFAULT_QUEUES, actions }: ReadyRequest): Lanes {
  const lanes = queues.flatMap((queue) => actions.map((action) => ({ queue, action })));
  return { queues: lanes.map(({ queue }) => queue), actions: lanes.map(({ action }) => action) };
}

function toInterval(durationMs: number): string {
  return `${durationMs} milliseconds`;
}

const MAX_DURATION_MS = 100 * 365.25 * 86_400_000;

function checkDuration(option: string, durationMs: number): void {
  if (!(durationMs > 0 && durationMs <= MAX_DURATION_MS)) {
    throw new InvalidOptionError(option, `is ${durationMs}; give milliseconds, more than 0`);
  }
}

function checkOwnRequest(request: OwnRequest): void {
  if (typeof request.actorId !== 'string' || request.actorId === '') {
    throw new InvalidOptionError('actorId', 'is missing; name the owner');
  }
  if (request.actions.length === 0 || request.queues?.length === 0) {
    throw new InvalidOptionError('actions and queues', 'must each hold at least one name');
  }
  if (!Number.isInteger(request.maxTasks) || request.maxTasks < 1) {
    throw new InvalidOptionError(
      'maxTasks',
      `is ${request.maxTasks}; give a whole number from 1 up`,
    );
  }
  if (request.maxDurationMs !== undefined) checkDuration('maxDurationMs', request.maxDurationMs);
}
