import { expect, test } from 'vitest';
import { MAX_ID_BYTES } from '../../../src/column-limits.js';
import { InvalidTaskError } from '../../../src/errors.js';
import { validateTask } from '../../../src/store/validate-task.js';

const HUNDRED_YEARS_MS = 3_155_760_000_000;

/** As a caller without types would pass it. */
function faultOf(task: unknown, ordinal = 3): unknown {
  try {
    Reflect.apply(validateTask, undefined, [task, ordinal]);
  } catch (error) {
    return error;
  }
  return null;
}

function faultOfField(fields: object): unknown {
  return faultOf({ id: 'a', action: 'copy', ...fields });
}

const longText = 'é'.repeat(1024);

test('a task with every field at its limits is valid', () => {
  const fault = faultOf({
    id: longText,
    action: 'é'.repeat(256),
    body: {},
    toSignalAfter: [longText, 'b', 'b'],
    totalDependencies: 2 ** 31 - 1,
    queue: 'q'.repeat(512),
    priority: -32_768,
    startAfter: new Date(8.64e15),
    maxTries: 1,
    retry: { delayMs: 0, factor: 1000, maxDelayMs: HUNDRED_YEARS_MS },
    maxDurationMs: 0.001,
    runWhen: 'any_succeeded',
    uniqueKey: longText,
    notifyChannelAfter: 'c'.repeat(63),
  });
  expect(fault).toBeNull();
});

test('a milestone needs no more than an id and a null action', () => {
  expect(faultOf({ id: '1', action: null })).toBeNull();
});

test('optional fields may be undefined', () => {
  const names = ['body', 'toSignalAfter', 'totalDependencies', 'queue', 'priority', 'startAfter'];
  names.push('maxTries', 'retry', 'maxDurationMs', 'runWhen', 'uniqueKey', 'notifyChannelAfter');
  const fields = Object.fromEntries(names.map((name) => [name, undefined]));
  expect(faultOfField(fields)).toBeNull();
});

test.each([null, undefined, 7, 'task', () => ({})])(
  '%s is no task, and is named by its place',
  (task) => {
    const fault = faultOf(task, 41);
    expect(fault).toBeInstanceOf(InvalidTaskError);
    expect(fault).toMatchObject({ code: 'INVALID_TASK', id: '#41', field: 'task' });
  },
);

test.each([
  [undefined, 'must be a string, not undefined'],
  [7, 'must be a string, not 7'],
  ['', 'must not be empty'],
  ['a\0b', 'must not hold \\u0000'],
  ['a\ud800', 'half a surrogate pair'],
  ['\udc00\ud800', 'half a surrogate pair'],
  ['x'.repeat(MAX_ID_BYTES + 1), 'at most 2048 bytes in UTF-8, not 2049'],
  [`${longText}é`, 'at most 2048 bytes in UTF-8, not 2050'],
])('the id %j is refused, and the task named by its place', (id, problem) => {
  const fault = faultOf({ id, action: 'copy' });
  expect(fault).toBeInstanceOf(InvalidTaskError);
  expect(fault).toMatchObject({ id: '#3', field: 'id', message: expect.stringContaining(problem) });
});

test('an id of whole surrogate pairs is valid', () => {
  expect(faultOf({ id: '😀', action: 'copy' })).toBeNull();
});

test('no message repeats a long value whole', () => {
  const fault = faultOfField({ uniqueKey: 'x'.repeat(1e6) });
  expect(fault instanceof Error && fault.message.length).toBeLessThan(300);
});

test.each([
  ['action', undefined],
  ['action', ''],
  ['action', 'a\0'],
  ['action', 'x'.repeat(513)],
  ['queue', null],
  ['queue', ''],
  ['queue', 'é'.repeat(257)],
  ['priority', 1.5],
  ['priority', 32_768],
  ['priority', -32_769],
  ['priority', '1'],
  ['totalDependencies', -1],
  ['totalDependencies', 2 ** 31],
  ['totalDependencies', Number.NaN],
  ['totalDependencies', '1'],
  ['startAfter', '2026-01-01'],
  ['startAfter', 0],
  ['startAfter', new Date(Number.NaN)],
  ['startAfter', new Date(-8.64e15)],
  ['maxTries', 0],
  ['maxTries', 2.5],
  ['maxTries', 2 ** 31],
  ['maxDurationMs', 0],
  ['maxDurationMs', -1],
  ['maxDurationMs', Number.POSITIVE_INFINITY],
  ['maxDurationMs', HUNDRED_YEARS_MS + 1],
  ['runWhen', 'always'],
  ['runWhen', null],
  ['uniqueKey', ''],
  ['uniqueKey', 'x'.repeat(2049)],
  ['notifyChannelAfter', 'x'.repeat(64)],
  ['notifyChannelAfter', 'é'.repeat(32)],
  ['toSignalAfter', 'b'],
  ['toSignalAfter', new Set(['b'])],
  ['toSignalAfter', ['b', '']],
  ['toSignalAfter', ['b', undefined]],
  ['toSignalAfter', new Array(1)],
  ['toSignalAfter', ['x'.repeat(2049)]],
  ['retry', 5],
  ['retry', null],
])('%s of %j is refused, and the field named', (field, value) => {
  const fault = faultOfField({ [field]: value });
  expect(fault).toBeInstanceOf(InvalidTaskError);
  expect(fault).toMatchObject({ id: 'a', field, message: expect.stringMatching(/must/) });
});

test.each([
  ['retry.delayMs', {}],
  ['retry.delayMs', { delayMs: -1 }],
  ['retry.delayMs', { delayMs: Number.NaN }],
  ['retry.delayMs', { delayMs: HUNDRED_YEARS_MS + 1 }],
  ['retry.factor', { delayMs: 1, factor: 0.9 }],
  ['retry.factor', { delayMs: 1, factor: 1001 }],
  ['retry.maxDelayMs', { delayMs: 1, maxDelayMs: -1 }],
  ['retry.maxDelayMs', { delayMs: 1, maxDelayMs: '5' }],
  ['retry.delay', { delay: 1 }],
])('%s is named as what is wrong with the retry policy %j', (field, retry) => {
  expect(faultOfField({ retry })).toMatchObject({ id: 'a', field });
});

test('the place of a bad id in toSignalAfter is in the message', () => {
  const fault = faultOfField({ toSignalAfter: ['b', 'c', ''] });
  expect(fault).toMatchObject({ message: expect.stringContaining('[2] must not be empty') });
});

test('a field that does not exist is refused, and those that do are listed', () => {
  const fault = faultOfField({ toSignalAfer: ['b'] });
  expect(fault).toMatchObject({
    field: 'toSignalAfer',
    message: expect.stringContaining('toSignalAfter'),
  });
});
