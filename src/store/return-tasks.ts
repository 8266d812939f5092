import { InvalidTokenError, ResultTooLargeError } from '../errors.js';
import type { BodySchemas } from './body-schemas.js';
import { bodyText } from './body-text.js';
import type { Database, RawRow } from './database.js';
import { toInterval } from './durations.js';
import { insertBatch } from './insert-tasks.js';
import { readReturnCode } from './status-code.js';
import type { ReturnReport, TaskReturn } from './task-store.js';
import { checkDelay, checkTime } from './validate-task.js';

/** What is kept of an attempt's error. In SQL, too: here it saves sending the rest. */
const MAX_ERROR_CHARACTERS = 16_384;
const TOKEN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a token has the form of one; another holds nothing. */
export function isToken(token: unknown): token is string {
  return typeof token === 'string' && TOKEN.test(token);
}

/** A return that can be sent, its status code as Postgres knows it, its result as JSON text. */
interface Sendable {
  readonly one: TaskReturn;
  readonly code: TaskReturn['statusCode'];
  readonly result: string | null;
}

/**
 * Returns a batch in one statement; reports in the order given.
 *
 * A status is for people: \u0000 in it, which Postgres cannot store, becomes U+FFFD, as it may come from any error.
 */
export async function returnBatch(
  database: Database,
  returns: readonly TaskReturn[],
  maxResultBytes: number,
  client?: Parameters<Database['rows']>[2],
): Promise<ReturnReport[]> {
  const faults = new Map<TaskReturn, Error>();
  const sendable = toSendable(returns, maxResultBytes, faults);
  const rows = sendable.length === 0 ? [] : await send(database, sendable, client);
  const otherwise = new Map(rows.map((row: RawRow) => [row[0], row[1]]));
  return returns.map((one) => {
    const fault = faults.get(one);
    return fault ? { id: one.id, ok: false, error: fault } : toReport(one, otherwise);
  });
}

/** Returns a task and inserts `one.tasks` in the same transaction. */
export async function returnWithTasks(
  database: Database,
  one: TaskReturn,
  bodySchemas: BodySchemas,
  maxResultBytes: number,
): Promise<ReturnReport> {
  try {
    return await database.transaction(async (client) => {
      // Locks the returned task first: an owner that lost it inserts nothing.
      const [held] = await database.rows(
        `select t.id from signalbox.task t where t.id = $1 and t.performance_token = $2
         for no key update`,
        [one.id, isToken(one.token) ? one.token : null],
        client,
      );
      if (!held) throw new InvalidTokenError(one.id);
      await insertBatch(database, one.tasks ?? [], bodySchemas, client);
      const [report] = await returnBatch(database, [one], maxResultBytes, client);
      if (!report?.ok) throw report?.error ?? new InvalidTokenError(one.id);
      return report;
    });
  } catch (error) {
    if (error instanceof Error) return { id: one.id, ok: false, error };
    throw error;
  }
}

function toSendable(
  returns: readonly TaskReturn[],
  maxResultBytes: number,
  faults: Map<TaskReturn, Error>,
): Sendable[] {
  const seen = new Set<string>();
  const sendable: Sendable[] = [];
  // Tasks that were claimed together have one token: it is looked at once.
  let token: unknown;
  for (const one of returns) {
    try {
      const code = readReturnCode(one.statusCode);
      if (one.startAfter !== undefined) checkTime(one.id, 'startAfter', one.startAfter);
      if (one.retryDelayMs !== undefined) checkDelay(one.id, 'retryDelayMs', one.retryDelayMs);
      if (one.token !== token && !isToken(one.token)) throw new InvalidTokenError(one.id);
      if (seen.has(one.id)) throw new InvalidTokenError(one.id);
      token = one.token;
      seen.add(one.id);
      const result = bodyText(one.id, one.result);
      checkSize(one.id, result, maxResultBytes);
      sendable.push({ one, code, result });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      faults.set(one, error);
    }
  }
  return sendable;
}

function checkSize(id: string, result: string | null, maxBytes: number): void {
  // A character takes three bytes at most: the count is rarely needed.
  if (result === null || result.length * 3 <= maxBytes) return;
  const bytes = Buffer.byteLength(result);
  if (bytes > maxBytes) throw new ResultTooLargeError(id, bytes, maxBytes);
}

function send(
  database: Database,
  sendable: readonly Sendable[],
  client: Parameters<Database['rows']>[2],
) {
  return database.rows(
    'select id, status_code from signalbox.return_tasks($1, $2, $3, $4, $5, $6, null, $7, $8, $9)',
    [
      sendable.map(({ one }) => one.id),
      oneForAll(sendable.map(({ one }) => one.token)),
      oneForAll(sendable.map(({ code }) => code)),
      column(sendable, ({ one }) => toStatus(one.status)),
      column(sendable, ({ result }) => result),
      column(sendable, ({ one }) => one.startAfter),
      column(sendable, ({ one }) => cut(toStatus(one.error))),
      column(sendable, ({ one: { retryDelayMs } }) =>
        retryDelayMs === undefined ? undefined : toInterval(retryDelayMs),
      ),
      column(sendable, ({ one }) => one.autoDelete),
    ],
    client,
  );
}

/** An array of values that need no quotes: the driver would look each over for what it has to escape. One stands for all if they are the same. */
function oneForAll(values: readonly string[]): string {
  const [first] = values;
  return values.every((value) => value === first) ? `{${first}}` : `{${values.join()}}`;
}

/** Text cannot hold \u0000; what is no string is printed as one. */
function toStatus(status: string | undefined): string | undefined {
  return status === undefined ? undefined : String(status).replaceAll('\u0000', '\ufffd');
}

/** Its beginning, without half a surrogate pair at the end. */
function cut(error: string | undefined): string | undefined {
  if (error === undefined || error.length <= MAX_ERROR_CHARACTERS) return error;
  return error.slice(0, MAX_ERROR_CHARACTERS).replace(/[\ud800-\udbff]$/, '');
}

/** One value each, or nothing at all when none has any. */
function column<T>(
  sendable: readonly Sendable[],
  read: (one: Sendable) => T | null | undefined,
): (T | null)[] | null {
  const hasAny = sendable.some((one) => read(one) != null);
  return hasAny ? sendable.map((one) => read(one) ?? null) : null;
}

function toReport(
  one: TaskReturn,
  otherwise: ReadonlyMap<string | null | undefined, string | null | undefined>,
): ReturnReport {
  const { id, statusCode } = one;
  const instead = otherwise.get(id);
  if (instead === null) return { id, ok: false, error: new InvalidTokenError(id) };
  const isExhausted = instead !== undefined;
  return { id, ok: true, statusCode: isExhausted ? 'aborted' : readReturnCode(statusCode) };
}
