import type { Json } from '../store/task-store.js';
import { InvalidFileError } from './invalid-file-error.js';

export type JsonObject = { readonly [key: string]: Json };

/** A value and where it stands in its document: what every reader takes, so that a fault can be located. */
export interface Located {
  readonly value: Json | undefined;
  readonly path: string;
}

const SHOWN_CHARACTERS = 40;
const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The member of an object. InvalidFileError if `located` is no object; the member itself may be missing. */
export function member(located: Located, name: string): Located {
  const object = readObject(located);
  const step = PLAIN_NAME.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  const path = located.path === '' ? step.replace(/^\./, '') : located.path + step;
  // Only the document's own names: `__proto__` and its like are not members.
  return { value: Object.hasOwn(object, name) ? object[name] : undefined, path };
}

/** The elements of an array. InvalidFileError if it is none. */
export function elements(located: Located): Located[] {
  const { value, path } = located;
  if (!isJsonArray(value)) throw fault(located, 'an array');
  return value.map((element, index) => ({ value: element, path: `${path}[${index}]` }));
}

export function readObject(located: Located): JsonObject {
  if (!isJsonObject(located.value)) throw fault(located, 'an object');
  return located.value;
}

export function readString(located: Located): string {
  if (typeof located.value !== 'string') throw fault(located, 'a string');
  return located.value;
}

export function readNumber(located: Located): number {
  if (typeof located.value !== 'number') throw fault(located, 'a number');
  return located.value;
}

export function readStrings(located: Located): string[] {
  return elements(located).map(readString);
}

/** `read`, or undefined where the document has nothing. */
export function optional<T>(located: Located, read: (located: Located) => T): T | undefined {
  return located.value === undefined ? undefined : read(located);
}

/** What to throw for a value that is not `expected`. */
export function fault(located: Located, expected: string): InvalidFileError {
  const { value, path } = located;
  if (value === undefined) return new InvalidFileError(path, `is missing; it must be ${expected}`);
  return new InvalidFileError(path, `must be ${expected}, not ${shown(value)}`);
}

function shown(value: Json): string {
  if (isJsonArray(value)) return 'an array';
  if (isJsonObject(value)) return 'an object';
  const text = JSON.stringify(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}
