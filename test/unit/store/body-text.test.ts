import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidBodyError } from '../../../src/errors.js';
import { bodyText } from '../../../src/store/body-text.js';

function faultOf(body: unknown): unknown {
  try {
    bodyText('a', body);
  } catch (error) {
    return error;
  }
  return null;
}

const circle: unknown[] = [];
circle.push(circle);

test.each([
  [{ a: [1, null, 'x'] }, '{"a":[1,null,"x"]}'],
  ['text', '"text"'],
  [false, 'false'],
  [0, '0'],
  [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  [{ f: undefined, n: Number.NaN }, '{"n":null}'],
  ['\\u0000', '"\\\\u0000"'],
  ['\\\\ud800', '"\\\\\\\\ud800"'],
  ['\u001b', '"\\u001b"'],
  ['😀 é', '"😀 é"'],
])('%j is written as %s', (body, text) => {
  expect(bodyText('a', body)).toBe(text);
});

test.each([null, undefined, Number.NaN, { toJSON: () => null }])('%s becomes null', (body) => {
  expect(bodyText('a', body)).toBeNull();
});

test.each([
  ['a function', () => {}],
  ['a symbol', Symbol('s')],
  ['what toJSON makes undefined', { toJSON: () => undefined }],
  ['BigInt', { n: 1n }],
  ['a circle', circle],
  ['\\u0000', ['a\0']],
  ['\\u0000 in a key', { 'a\0': 1 }],
  ['\\u0000 behind a backslash', 'a\\\0'],
  ['a high surrogate alone', 'a\ud83d'],
  ['a low surrogate alone', '\udfffa'],
  ['two high surrogates', '\ud83d\ud83d\ude00'],
])('%s is refused', (_, body) => {
  const fault = faultOf(body);
  expect(fault).toBeInstanceOf(InvalidBodyError);
  expect(fault).toMatchObject({ code: 'INVALID_BODY', id: 'a' });
});

test('an error thrown by toJSON is the cause', () => {
  const cause = new Error('no');
  const toJSON = () => {
    throw cause;
  };
  expect(faultOf({ toJSON })).toMatchObject({ cause, message: expect.stringContaining('no') });
});

test('a body is refused exactly when one of its strings holds \\u0000 or half a surrogate pair', () => {
  const piece = fc.constantFrom('\\', 'u0000', 'ud800', '\0', '\ud83d', '\ude00', 'a', '"', '\n');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('');
      const isFaulty = text.includes('\0') || /\p{Surrogate}/u.test(text);
      expect(faultOf({ text }) !== null).toBe(isFaulty);
    }),
    { numRuns: 3000 },
  );
});
