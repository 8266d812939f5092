import { InvalidOptionError } from '../errors.js';
import { ClaimCursor } from './claim-cursor.js';
import type { Database, RawRow } from './database.js';
import { checkDuration, toInterval } from './durations.js';
import { type Lanes, toLanes } from './lanes.js';
import { toClaimedPosition, toOwnedTask } from './rows.js';
import type { OwnedTask, OwnRequest } from './task-store.js';

type Positions = readonly ({ priority: number; seq: number } | undefined)[];

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

  #claim(
    request: OwnRequest,
    lanes: Lanes,
    maxTasks: number,
    positions: Positions,
  ): Promise<RawRow[]> {
    return this.#database.rows(
      `select id, token, action, body, queue, priority, num_failures, num_tries, max_tries,
         date_part('epoch', deadline) * 1000, date_part('epoch', max_duration) * 1000, seq,
         is_begun, limit_key, slots, slots_version
       from signalbox.own_tasks($1, $2, $3, $4, $5, $6, $7, null, $8, $9, $10, $11, $12)`,
      [
        request.actorId,
        lanes.queues,
        lanes.actions,
        maxTasks,
        request.maxDurationMs === undefined ? null : toInterval(request.maxDurationMs),
        positions.map((position) => position?.priority ?? null),
        positions.map((position) => position?.seq ?? null),
        request.numBegun ?? null,
        request.holder ?? null,
        request.maxSlots ?? null,
        request.tasksPerSlot ?? null,
        request.pollStrategy === 'created',
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
}

function checkRequest(request: OwnRequest): void {
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
