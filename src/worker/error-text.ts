import { inspect } from 'node:util';

/** What is kept of an error; the store cuts as well, but need not be sent more. */
const MAX_CHARACTERS = 16_384;

/** The same, or an error in the place of what throws when it is asked for its class, as a proxy can. */
export function toViewable(thrown: unknown): unknown {
  try {
    Object.getPrototypeOf(Object(thrown));
    return thrown;
  } catch (cause) {
    return new Error('a handler threw a value that cannot be looked at', { cause });
  }
}

/** What was thrown in one line: an error's message. Anything can be thrown, objects included that throw when looked at. */
export function toMessage(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message);
    return `a handler threw ${inspect(thrown)}`;
  } catch {
    return 'a handler threw a value that cannot be shown';
  }
}

/** What was thrown in full, with the stack and the causes. */
export function toErrorText(thrown: unknown): string {
  try {
    return inspect(thrown).slice(0, MAX_CHARACTERS);
  } catch {
    return 'a value that cannot be shown';
  }
}
