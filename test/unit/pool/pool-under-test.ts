import type { Logger } from '../../../src/logger.js';
import { TaskPool, type TaskPoolOptions } from '../../../src/pool/task-pool.js';
import { VirtualClock } from './virtual-clock.js';

/** One line that was logged. */
interface LogLine {
  readonly level: string;
  readonly obj: object;
  readonly msg: string;
}

/** A logger that keeps what it is given. */
function keepingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = (level: string) => (obj: object, msg: string) => {
    lines.push({ level, obj, msg });
  };
  const logger = {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
  };
  return { logger, lines };
}

/** A pool whose time the test lets pass. `errors`: what it logged as errors. */
export function poolUnderTest(options: TaskPoolOptions = {}) {
  const clock = new VirtualClock();
  const { logger, lines } = keepingLogger();
  const pool = new TaskPool({ clock, logger, random: () => 0.5, ...options });
  return { pool, clock, errors: () => lines.filter(({ level }) => level === 'error') };
}

/** A task that runs until the test ends it. */
export function heldTask<T = void>() {
  let end: (value: T) => void = () => {};
  let fail: (thrown: unknown) => void = () => {};
  let begin: () => void = () => {};
  let numBegun = 0;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<T>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return {
    begun,
    numBegun: () => numBegun,
    end: (value: T) => end(value),
    fail: (thrown: unknown) => fail(thrown),
    fn: () => {
      numBegun++;
      begin();
      return ended;
    },
  };
}

/** What the promise rejected with; an error of its own if it did not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}
