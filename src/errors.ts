/** What every error thrown by signalbox is. `code` is stable and is what programs should match on. */
export class SignalboxError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }

  /** The same error with other names for the tasks and keys in it: what a prefix does. */
  renamed(_rename: (name: string) => string): SignalboxError {
    return this;
  }
}

/** At most this many ids are spelled out in a message; the error's `ids` hold them all. */
const IDS_IN_MESSAGE = 5;
const IDS_IN_CYCLE = 20;

function quoteIds(ids: readonly string[]): string {
  const shown = ids.slice(0, IDS_IN_MESSAGE).map((id) => JSON.stringify(id));
  const rest = ids.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function quoteCycle(ids: readonly string[]): string {
  const shown =
    ids.length <= IDS_IN_CYCLE ? [...ids, ...ids.slice(0, 1)] : ids.slice(0, IDS_IN_CYCLE);
  const chain = shown.map((id) => JSON.stringify(id)).join(' -> ');
  return ids.length > IDS_IN_CYCLE ? `${chain} -> ...` : chain;
}

/** The task is not, or no longer, owned under this performance token. */
export class InvalidTokenError extends SignalboxError {
  readonly id: string;

  constructor(id: string, options?: { cause?: unknown }) {
    super(
      'INVALID_TOKEN',
      `Task ${JSON.stringify(id)} is not owned under this token: its deadline passed and another actor ` +
        'may have it, or it was cancelled or returned already. Drop the work; own the task again if it is still wanted.',
      options,
    );
    this.id = id;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new InvalidTokenError(rename(this.id), { cause: this.cause });
  }
}

/** No task has this id. */
export class TaskNotFoundError extends SignalboxError {
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: { cause?: unknown }) {
    super(
      'TASK_NOT_FOUND',
      `No task with id ${quoteIds(ids)}. Insert it first, or check the prefix; a deleted task is not found either.`,
      options,
    );
    this.ids = ids;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new TaskNotFoundError(this.ids.map(rename), { cause: this.cause });
  }
}

/** An id occurs twice in one insert, or is in the database already. */
export class DuplicateTaskError extends SignalboxError {
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: { cause?: unknown }) {
    super(
      'DUPLICATE_TASK',
      `Tasks with these ids exist already or occur twice: ${quoteIds(ids)}. Nothing was inserted; ids must be new.`,
      options,
    );
    this.ids = ids;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new DuplicateTaskError(this.ids.map(rename), { cause: this.cause });
  }
}

/** An unfinished task holds this unique key. */
export class UniqueKeyTakenError extends SignalboxError {
  readonly keys: readonly string[];

  constructor(keys: readonly string[], options?: { cause?: unknown }) {
    super(
      'UNIQUE_KEY_TAKEN',
      `Unfinished tasks hold these unique keys: ${quoteIds(keys)}. Nothing was inserted; use insertUnique to skip such tasks.`,
      options,
    );
    this.keys = keys;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new UniqueKeyTakenError(this.keys.map(rename), { cause: this.cause });
  }
}

/** An edge points at a task that is neither in the batch nor in the database. */
export class UnknownTargetError extends SignalboxError {
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: { cause?: unknown }) {
    super(
      'UNKNOWN_TARGET',
      `toSignalAfter names tasks that do not exist: ${quoteIds(ids)}. Nothing was inserted; insert the targets in the same call or before.`,
      options,
    );
    this.ids = ids;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new UnknownTargetError(this.ids.map(rename), { cause: this.cause });
  }
}

/** The edges of a batch form a cycle: none of its tasks could ever start. `ids` are in the order of the edges. */
export class CycleError extends SignalboxError {
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: { cause?: unknown }) {
    super(
      'CYCLE',
      `toSignalAfter forms a cycle of ${ids.length}: ${quoteCycle(ids)}. ` +
        'Nothing was inserted; remove one of these edges.',
      options,
    );
    this.ids = ids;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new CycleError(this.ids.map(rename), { cause: this.cause });
  }
}

/** An edge points at a task inserted earlier that no longer waits for signals. */
export class TargetStartedError extends SignalboxError {
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: { cause?: unknown }) {
    super(
      'TARGET_STARTED',
      `toSignalAfter names tasks that no longer wait for signals: ${quoteIds(ids)}. ` +
        'Nothing was inserted; give such a task a totalDependencies that counts the later signals when inserting it.',
      options,
    );
    this.ids = ids;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new TargetStartedError(this.ids.map(rename), { cause: this.cause });
  }
}

/** A task that has begun or ended was to be updated. */
export class TaskNotPendingError extends SignalboxError {
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: { cause?: unknown }) {
    super(
      'TASK_NOT_PENDING',
      `Only pending tasks can be updated; these have begun or ended: ${quoteIds(ids)}. ` +
        'Nothing was updated; cancel or rerun such a task instead.',
      options,
    );
    this.ids = ids;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new TaskNotPendingError(this.ids.map(rename), { cause: this.cause });
  }
}

/** One thing that is wrong with a body: where (a JSON pointer) and what. */
export interface BodyFault {
  readonly path: string;
  readonly message: string;
}

/** A body or result is not JSON, holds \u0000, or does not fit the action's JSON schema. */
export class InvalidBodyError extends SignalboxError {
  readonly id: string;
  readonly errors: readonly BodyFault[];

  constructor(id: string, errors: readonly BodyFault[], options?: { cause?: unknown }) {
    const faults = errors.map((fault) => `${fault.path || '/'} ${fault.message}`).join('; ');
    super('INVALID_BODY', `Task ${JSON.stringify(id)}: the JSON is not valid: ${faults}.`, options);
    this.id = id;
    this.errors = errors;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new InvalidBodyError(rename(this.id), this.errors, { cause: this.cause });
  }
}

/** A field of a task is missing, of the wrong type, or out of range. */
export class InvalidTaskError extends SignalboxError {
  readonly id: string;
  readonly field: string;
  readonly #problem: string;

  constructor(id: string, field: string, problem: string, options?: { cause?: unknown }) {
    super('INVALID_TASK', `Task ${JSON.stringify(id)}: ${field} ${problem}.`, options);
    this.id = id;
    this.field = field;
    this.#problem = problem;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new InvalidTaskError(rename(this.id), this.field, this.#problem, { cause: this.cause });
  }
}

/** The result of a handler is longer than `maxResultBytes`. */
export class ResultTooLargeError extends SignalboxError {
  readonly id: string;
  readonly bytes: number;
  readonly maxBytes: number;

  constructor(id: string, bytes: number, maxBytes: number, options?: { cause?: unknown }) {
    super(
      'RESULT_TOO_LARGE',
      `The result of task ${JSON.stringify(id)} has ${bytes} bytes as JSON, more than ${maxBytes}. ` +
        'Keep it elsewhere and return where it is, or raise maxResultBytes of connect().',
      options,
    );
    this.id = id;
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new ResultTooLargeError(rename(this.id), this.bytes, this.maxBytes, {
      cause: this.cause,
    });
  }
}

/** An option of a call (not of a task) is missing, of the wrong type, or out of range. */
export class InvalidOptionError extends SignalboxError {
  readonly option: string;

  constructor(option: string, problem: string, options?: { cause?: unknown }) {
    super('INVALID_OPTION', `${option} ${problem}.`, options);
    this.option = option;
  }
}

/** The status is unknown, or not one that this call accepts. */
export class InvalidStatusError extends SignalboxError {
  readonly status: unknown;

  constructor(status: unknown, expected: string, options?: { cause?: unknown }) {
    super('INVALID_STATUS', `Status ${JSON.stringify(status)} is not ${expected}.`, options);
    this.status = status;
  }
}

/** `wait()` ended because its waiter was cancelled, its signal fired, or the connection was closed for good. */
export class WaitCancelledError extends SignalboxError {
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: { cause?: unknown }) {
    super(
      'WAIT_CANCELLED',
      `Waiting for ${quoteIds(ids)} was cancelled. The tasks themselves go on.`,
      options,
    );
    this.ids = ids;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new WaitCancelledError(this.ids.map(rename), { cause: this.cause });
  }
}

/** The tasks did not end within the time that the caller allowed. */
export class WaitTimeoutError extends SignalboxError {
  readonly ids: readonly string[];
  readonly timeoutMs: number;

  constructor(ids: readonly string[], timeoutMs: number, options?: { cause?: unknown }) {
    super(
      'WAIT_TIMEOUT',
      `Tasks ${quoteIds(ids)} did not end within ${timeoutMs} ms. They go on; wait again, or cancel them.`,
      options,
    );
    this.ids = ids;
    this.timeoutMs = timeoutMs;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new WaitTimeoutError(this.ids.map(rename), this.timeoutMs, { cause: this.cause });
  }
}

/** The database's schema and this client do not fit. A version of 0 means: not installed. */
export class SchemaVersionError extends SignalboxError {
  readonly schemaVersion: number;
  readonly clientVersion: number;

  constructor(
    schema: string,
    schemaVersion: number,
    clientVersion: number,
    options?: { cause?: unknown },
  ) {
    const remedy =
      schemaVersion < clientVersion
        ? 'Run `signalbox migrate` (or `await box.migrate()`)'
        : 'Install a newer signalbox: `npm install signalbox@latest`';
    const found = schemaVersion === 0 ? 'is not installed' : `has version ${schemaVersion}`;
    super(
      'SCHEMA_VERSION',
      `Schema ${JSON.stringify(schema)} ${found}, this client needs version ${clientVersion}. ${remedy}.`,
      options,
    );
    this.schemaVersion = schemaVersion;
    this.clientVersion = clientVersion;
  }
}

/** The connection settings are missing or cannot be used. */
export class ConnectionSettingsError extends SignalboxError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CONNECTION_SETTINGS', message, options);
  }
}

/** Thrown by a handler: the task can never succeed. It is aborted at once, whatever tries are left. */
export class PermanentError extends SignalboxError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('PERMANENT', message, options);
  }
}

/** Thrown by a handler: try again at `startAfter`. This try does not count. */
export class SnoozeError extends SignalboxError {
  readonly startAfter: Date;

  constructor(startAfter: Date, options?: { cause?: unknown }) {
    super('SNOOZE', `Snoozed until ${startAfter.toISOString()}`, options);
    this.startAfter = startAfter;
  }
}

/** The box was closed before the call, or before all of its statements had begun. */
export class ClosedError extends SignalboxError {
  constructor(options?: { cause?: unknown }) {
    super('CLOSED', 'The box was closed. Connect again to go on.', options);
  }
}

/** The manager is stopping or stopped: it takes no more work. Also the reason that running handlers' signals give. */
export class ManagerStoppedError extends SignalboxError {
  constructor(options?: { cause?: unknown }) {
    super('MANAGER_STOPPED', 'The ActionManager was stopped. Start a new one to go on.', options);
  }
}
