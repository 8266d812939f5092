const LAST_CODE_POINT = 0x10ffff;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/**
 * The first text after all that begin with `prefix`, in the order of UTF-8's bytes; null: there is none.
 *
 * A range needs it said: of a prefix that is a parameter, a plan made for any value makes no range, and reads the
 * whole index.
 */
export function endOfPrefix(prefix: string): string | null {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === LAST_CODE_POINT) continue;
    const next = last + 1;
    const isSurrogate = next >= FIRST_SURROGATE && next <= LAST_SURROGATE;
    return String.fromCodePoint(...points, isSurrogate ? LAST_SURROGATE + 1 : next);
  }
  return null;
}
