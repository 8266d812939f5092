import { randomUUID } from 'node:crypto';
import { MAX_INT4 } from '../column-limits.js';
import { InvalidOptionError } from '../errors.js';
import { ClaimCursor } from './claim-cursor.js';
import type { Database, RawRow } from './database.js';
import { checkDuration, toInterval } from './durations.js';
import { type Lanes, toLanes } from './lanes.js';
import {
  byReadiness,
  CLAIM_COLUMNS,
  toClaimedPositions,
  toOwnedTasks,
  type UsualClaim,
} from './rows.js';
import type { OwnedTask, OwnRequest, PollStrategy } from './task-store.js';

interface Claimed {
  readonly rows: RawRow[];
  readonly usual: UsualClaim;
}

type Positions = readonly ({ priority: number; seq: number } | undefined)[];

/** Of so many sets of lanes, those claimed from last, it is remembered where their claims stood. */
const MAX_CURSORS = 1_000;

/** So long at most a claim that finds nothing gives signals that are on their way, which may make something ready. */
const GIVING_MS = 500;

const POLL_STRATEGIES: readonly PollStrategy[] = ['priority', 'created'];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Owns tasks, and remembers for each set of lanes where its last claim stood. */
export class TaskClaims {
  readonly #database: Database;
  readonly #cursors = new Map<string, ClaimCursor>();

  constructor(database: Database) {
    this.#database = database;
  }

  async own(request: OwnRequest): Promise<OwnedTask[]> {
    checkRequest(request);
    const lanes = toLanes(request);
    const until = performance.now() + GIVING_MS;
    let tasks = await this.#claimOnce(request, lanes);
    while (tasks.length === 0 && performance.now() < until && (await this.#gaveSignals())) {
      tasks = await this.#claimOnce(request, lanes);
    }
    return tasks;
  }

  async #claimOnce(request: OwnRequest, lanes: Lanes): Promise<OwnedTask[]> {
    if (request.pollStrategy !== 'created') return this.#claimAtCursor(request, lanes);
    const { rows, usual } = await this.#claim(request, lanes, []);
    return toOwnedTasks(rows.sort(byReadiness), usual);
  }

  /** Whether there were signals on their way, some of which are given now. */
  async #gaveSignals(): Promise<boolean> {
    const [row] = await this.#database.rows('select signalbox.give_signals()', []);
    return row?.[0] !== '0';
  }

  async #claimAtCursor(request: OwnRequest, lanes: Lanes): Promise<OwnedTask[]> {
    const cursor = this.#cursorOf(lanes);
    const positions = lanes.queues.map((queue, i) => cursor.at(queue, lanes.actions[i] ?? ''));
    const isFromBeginning = cursor.isEmpty;
    const askedAt = performance.now();
    const { rows, usual } = await this.#claim(request, lanes, positions);
    if (isFromBeginning) cursor.tookFromBeginning(performance.now() - askedAt);
    const tasks = toOwnedTasks(rows, usual);
    if (rows.length === request.maxTasks) {
      cursor.advance(toClaimedPositions(rows, usual));
    } else if (!cursor.isEmpty) {
      // One that began further on and came back short may have passed over something.
      cursor.reset();
      const more = await this.#claim(rest(request, rows.length), lanes, []);
      tasks.push(...toOwnedTasks(more.rows, more.usual));
    }
    return tasks;
  }

  async #claim(request: OwnRequest, lanes: Lanes, positions: Positions): Promise<Claimed> {
    const { maxDurationMs = null } = request;
    const [queue = '', action = ''] = [lanes.queues[0], lanes.actions[0]];
    const usual = { token: randomUUID(), queue, action, maxDurationMs };
    const rows = await this.#database.rows(
      `select ${CLAIM_COLUMNS}
       from signalbox.own_tasks($1, $2, $3, $4, $5, $6, $7, null, $8, $9, $10, $11, $12, $13)`,
      [
        request.actorId,
        lanes.queues,
        lanes.actions,
        request.maxTasks,
        maxDurationMs === null ? null : toInterval(maxDurationMs),
        positions.map((position) => position?.priority ?? null),
        positions.map((position) => position?.seq ?? null),
        request.numBegun ?? null,
        request.holder ?? null,
        request.maxSlots ?? null,
        request.tasksPerSlot === undefined ? null : Math.floor(request.tasksPerSlot),
        request.pollStrategy === 'created',
        usual.token,
        queue,
        action,
      ],
    );
    return { rows, usual };
  }

  #cursorOf(lanes: Lanes): ClaimCursor {
    const key = JSON.stringify(lanes);
    const cursor = this.#cursors.get(key) ?? new ClaimCursor();
    // A Map keeps the order of insertion: the first was used longest ago.
    this.#cursors.delete(key);
    this.#cursors.set(key, cursor);
    if (this.#cursors.size > MAX_CURSORS) {
      const [oldest = key] = this.#cursors.keys();
      this.#cursors.delete(oldest);
    }
    return cursor;
  }
}

/** What is still asked for once so many tasks are owned, the first of which have begun. */
function rest(request: OwnRequest, numOwned: number): OwnRequest {
  const { maxTasks, numBegun } = request;
  return {
    ...request,
    maxTasks: maxTasks - numOwned,
    ...(numBegun === undefined ? {} : { numBegun: Math.max(0, numBegun - numOwned) }),
  };
}

function checkRequest(request: OwnRequest): void {
  if (typeof request.actorId !== 'string' || request.actorId === '') {
    throw new InvalidOptionError('actorId', 'is missing; name the owner');
  }
  if (request.actions.length === 0 || request.queues?.length === 0) {
    throw new InvalidOptionError('actions and queues', 'must each hold at least one name');
  }
  checkInteger('maxTasks', request.maxTasks, 1);
  if (request.maxDurationMs !== undefined) checkDuration('maxDurationMs', request.maxDurationMs);
  if (request.numBegun !== undefined) checkInteger('numBegun', request.numBegun, 0);
  if (request.maxSlots !== undefined) checkInteger('maxSlots', request.maxSlots, 1);
  checkHolder(request);
  checkPollStrategy(request.pollStrategy);
}

function checkHolder({ holder, tasksPerSlot }: OwnRequest): void {
  if (holder !== undefined && !(typeof holder === 'string' && UUID.test(holder))) {
    throw new InvalidOptionError(
      'holder',
      `is ${JSON.stringify(holder)}; give a UUID, the same in every call`,
    );
  }
  if (tasksPerSlot !== undefined && !(tasksPerSlot >= 1 && tasksPerSlot <= MAX_INT4)) {
    throw new InvalidOptionError('tasksPerSlot', `is ${tasksPerSlot}; give a number from 1 up`);
  }
}

function checkPollStrategy(strategy: PollStrategy | undefined): void {
  if (strategy === undefined || POLL_STRATEGIES.includes(strategy)) return;
  throw new InvalidOptionError(
    'pollStrategy',
    `is ${JSON.stringify(strategy)}; give ${POLL_STRATEGIES.map((one) => `'${one}'`).join(' or ')}`,
  );
}

function checkInteger(option: string, value: number, min: number): void {
  if (!(Number.isInteger(value) && value >= min && value <= MAX_INT4)) {
    throw new InvalidOptionError(option, `is ${value}; give a whole number from ${min} up`);
  }
}
