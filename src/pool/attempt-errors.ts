import { inspect } from 'node:util';
import { PoolTaskError } from './pool-errors.js';

/** So many different errors are kept: a task may be tried for ever, and fail with another text each time. */
const MAX_KEPT = 100;
const MAX_IN_MESSAGE = 10;

/** What the attempts of one task threw: equal ones once. Equal is what reads the same. */
export class AttemptErrors {
  readonly #thrownByText = new Map<string, unknown>();
  #last: unknown;

  /** Takes anything that can be thrown. */
  add(thrown: unknown): void {
    this.#last = thrown;
    const text = describe(thrown);
    if (this.#thrownByText.has(text) || this.#thrownByText.size === MAX_KEPT) return;
    this.#thrownByText.set(text, thrown);
  }

  get last(): unknown {
    return this.#last;
  }

  /** All of them as one error, which begins with `error`: the caller's own words, or an error of theirs. */
  toError(error: string | Error, numRetries: number): PoolTaskError {
    const what = typeof error === 'string' ? error : error.message;
    const tries =
      numRetries === 0 ? '' : ` after ${numRetries} ${numRetries === 1 ? 'retry' : 'retries'}`;
    return new PoolTaskError(`${what}${tries}: ${this.#list()}`, {
      errors: [...this.#thrownByText.values()],
      numRetries,
      cause: error instanceof Error ? error : this.#last,
    });
  }

  #list(): string {
    const shown = [...this.#thrownByText.keys()].slice(0, MAX_IN_MESSAGE).join('; ');
    const numMore = this.#thrownByText.size - MAX_IN_MESSAGE;
    const atLeast = this.#thrownByText.size === MAX_KEPT ? 'at least ' : '';
    return numMore > 0 ? `${shown}; and ${atLeast}${numMore} more` : shown;
  }
}

/** What was thrown may be anything, objects included that throw when they are looked at. */
function describe(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message) || String(thrown.name);
    return typeof thrown === 'string' ? thrown : inspect(thrown);
  } catch {
    return 'a value that cannot be shown';
  }
}
