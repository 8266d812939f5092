import pg from 'pg';
import {
  InvalidStatusError,
  SchemaVersionError,
  TargetStartedError,
  TaskNotFoundError,
  TaskNotPendingError,
  UniqueKeyTakenError,
  UnknownTargetError,
} from '../errors.js';
import { SCHEMA_VERSION } from './schema-version.js';

/** The SQLSTATEs that sql/functions raise; see sql/README.md. Their DETAIL is a JSON array of ids or keys. */
const BY_STATE = {
  SB001: (names: string[], cause: unknown) => new TaskNotFoundError(names, { cause }),
  SB002: (names: string[], cause: unknown) => new UnknownTargetError(names, { cause }),
  SB003: (names: string[], cause: unknown) => new TargetStartedError(names, { cause }),
  SB005: (_: string[], cause: unknown) =>
    new InvalidStatusError(null, 'one of completed, aborted, skipped and pending', { cause }),
  SB006: (names: string[], cause: unknown) => new UniqueKeyTakenError(names, { cause }),
  SB007: (names: string[], cause: unknown) => new TaskNotPendingError(names, { cause }),
} as const;

/** Undefined schema, function or table: the schema is not installed. */
const NOT_INSTALLED_STATES = new Set(['3F000', '42883', '42P01']);

function isOwnState(code: string): code is keyof typeof BY_STATE {
  return code in BY_STATE;
}

function parseNames(detail: string | undefined): string[] {
  const names: unknown = JSON.parse(detail ?? '[]');
  return Array.isArray(names) ? names.map(String) : [];
}

/** The typed error that a server error stands for; any other error as it is. */
export function translateSqlError(error: unknown, schema: string): unknown {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return error;
  if (isOwnState(error.code)) return BY_STATE[error.code](parseNames(error.detail), error);
  if (NOT_INSTALLED_STATES.has(error.code)) {
    return new SchemaVersionError(schema, 0, SCHEMA_VERSION, { cause: error });
  }
  return error;
}

/** Whether an insert failed because a task with one of its ids was there before it. */
export function isDuplicateId(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === '23505' && error.constraint === 'task_pkey'
  );
}
