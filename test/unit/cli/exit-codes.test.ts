import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../../src/cli/error-report.js';
import { EXIT, exitCodeOf, isUnreachable } from '../../../src/cli/exit-codes.js';
import {
  ConnectionSettingsError,
  CycleError,
  InvalidTokenError,
  SchemaVersionError,
  TaskNotFoundError,
  WaitTimeoutError,
} from '../../../src/errors.js';

test.each([
  [new CycleError(['a', 'b']), EXIT.usage],
  [new TaskNotFoundError(['a']), EXIT.usage],
  [new ConnectionSettingsError('none'), EXIT.database],
  [new SchemaVersionError('signalbox', 0, 1), EXIT.database],
  [new WaitTimeoutError(['a'], 5), EXIT.timeout],
  [new InvalidTokenError('a'), EXIT.failed],
  [new Error('anything else'), EXIT.failed],
  ['not even an error', EXIT.failed],
])('%s ends the process with %d', (error, exitCode) => {
  expect(exitCodeOf(error)).toBe(exitCode);
});

function systemError(fields: object): Error {
  return Object.assign(new Error('failed'), fields);
}

describe('isUnreachable', () => {
  test('knows a refused connection, alone and among several', () => {
    const refused = systemError({ code: 'ECONNREFUSED', syscall: 'connect' });
    expect(isUnreachable(refused)).toBe(true);
    expect(isUnreachable(new AggregateError([refused]))).toBe(true);
  });

  test('tells a missing socket from a missing file', () => {
    expect(isUnreachable(systemError({ code: 'ENOENT', syscall: 'connect' }))).toBe(true);
    expect(isUnreachable(systemError({ code: 'ENOENT', syscall: 'open' }))).toBe(false);
  });

  test('knows a password that is wrong and a database that is not there, but no failed statement', () => {
    const postgresError = (code: string) =>
      Object.assign(new pg.DatabaseError('failed', 0, 'error'), { code });
    expect(['28P01', '3D000', '57P03'].map((code) => isUnreachable(postgresError(code)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(isUnreachable(postgresError('23505'))).toBe(false);
  });
});

describe('describeError', () => {
  test('keeps the fields of our errors', () => {
    expect(describeError(new CycleError(['a', 'b'], { cause: new Error('x') }))).toEqual({
      code: 'CYCLE',
      message: expect.stringContaining('"a" -> "b" -> "a"'),
      ids: ['a', 'b'],
    });
  });

  test('keeps nothing but code and message of other errors', () => {
    expect(describeError(systemError({ code: 'EPIPE', client: {} }))).toEqual({
      code: 'EPIPE',
      message: 'failed',
    });
  });

  test('says what the parts say where the whole says nothing', () => {
    const error = new AggregateError([new Error('first'), new Error('second')]);
    expect(describeError(error).message).toBe('first; second');
  });
});
