import { InvalidBodyError } from '../errors.js';

/**
 * What jsonb refuses although it is JSON: an escape of \u0000 or of half a surrogate pair. JSON.stringify writes
 * other surrogates as they are, so every escaped one is half a pair. The backslash of the escape must not
 * itself be escaped: an even number of others goes before it.
 */
const REFUSED_ESCAPE = /(?<!\\)(?:\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/i;
const EXCERPT_CHARACTERS = 30;

/**
 * The JSON text of a body, as jsonb accepts it; null, which becomes SQL's null, for one that is null or left out.
 *
 * Throws InvalidBodyError for what JSON.stringify cannot express (functions, symbols, BigInt, circles) and for
 * strings that Postgres cannot store. NaN and infinities become null, Dates strings: as JSON.stringify does.
 */
export function bodyText(id: string, body: unknown): string | null {
  if (body === undefined || body === null) return null;
  const text = stringify(id, body);
  if (text === 'null') return null;
  if (text.includes('\\u')) checkEscapes(id, text);
  return text;
}

function stringify(id: string, body: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot be written as JSON (${why}); pass plain data`;
    throw new InvalidBodyError(id, [{ path: '', message }], { cause });
  }
  if (text !== undefined) return text;
  const message = `is a ${typeof body} without a JSON form; pass plain data`;
  throw new InvalidBodyError(id, [{ path: '', message }]);
}

function checkEscapes(id: string, text: string): void {
  const match = REFUSED_ESCAPE.exec(text);
  if (match === null) return;
  const end = match.index + match[0].length;
  const excerpt = text.slice(Math.max(0, end - EXCERPT_CHARACTERS), end);
  const what = match[1] === '0000' ? '\\u0000' : 'half a surrogate pair';
  const message = `holds ${what}, which Postgres cannot store, at the end of ${excerpt}; remove or encode it`;
  throw new InvalidBodyError(id, [{ path: '', message }]);
}
