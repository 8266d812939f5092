import { afterEach, expect, it } from 'vitest';
import { type FireReport, InvalidOptionError } from '../../../src/index.js';
import { noopLogger } from '../../../src/logger.js';
import { Scheduler, type SchedulerOptions } from '../../../src/schedule/scheduler.js';

const NOTHING: FireReport = { fired: [], failures: [], numHeld: 0, nextDueInMs: null };

/** Sleeps of which no test sees the end. */
const LONG: SchedulerOptions = { maxSleepMs: 3_600_000, errWaitTimeMs: 3_600_000 };

/** A scheduler over schedules whose passes the test answers, one after another. */
class Passes {
  readonly scheduler: Scheduler;
  readonly messages: string[] = [];
  readonly listeners = new Set<() => void>();
  #asked: (() => void) | undefined;
  #answer: ((report: FireReport | Promise<FireReport>) => void) | undefined;

  constructor(options: SchedulerOptions = LONG) {
    const log = (_: object, message: string) => this.messages.push(message);
    const logger = { ...noopLogger, warn: log, error: log };
    this.scheduler = new Scheduler({ schedules: this }, { logger, ...options });
  }

  fireDue(): Promise<FireReport> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#asked?.();
    });
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  change(): void {
    for (const listener of this.listeners) listener();
  }

  get isAsked(): boolean {
    return this.#answer !== undefined;
  }

  /** Waits for the next pass, and has it report. */
  async answer(report: FireReport | Promise<FireReport> = NOTHING): Promise<void> {
    await this.asked();
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(report);
    // All that follows from it, but for timers, has happened after a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }

  asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#asked = resolve;
      if (this.isAsked) resolve();
    });
  }
}

const started: Passes[] = [];

function start(options?: SchedulerOptions): Passes {
  const passes = new Passes(options);
  started.push(passes);
  passes.scheduler.start();
  return passes;
}

afterEach(async () => {
  for (const passes of started.splice(0)) {
    const stopped = passes.scheduler.stop();
    if (passes.isAsked) await passes.answer();
    await stopped;
  }
});

it('looks at once when started, then sleeps', async () => {
  const passes = start();
  await passes.answer();
  expect(passes.isAsked).toBe(false);
});

it('looks again when the next schedule is due', async () => {
  const passes = start();
  await passes.answer({ ...NOTHING, nextDueInMs: 1 });
  await passes.answer({ ...NOTHING, nextDueInMs: 0 });
  await passes.answer({ ...NOTHING, nextDueInMs: -5 });
  await passes.asked();
});

it('looks again after maxSleepMs although nothing is due, for what other processes put', async () => {
  const passes = start({ ...LONG, maxSleepMs: 1 });
  await passes.answer({ ...NOTHING, nextDueInMs: 3_600_000 });
  await passes.answer();
  await passes.asked();
});

it('looks again when a schedule changes in this process, in its sleep or while it looks', async () => {
  const passes = start();
  await passes.answer();
  passes.change();
  await passes.asked();
  passes.change();
  await passes.answer();
  await passes.answer();
  expect(passes.isAsked).toBe(false);
});

it('looks again soon while a schedule is held', async () => {
  const passes = start({ ...LONG, maxSleepMs: 1 });
  await passes.answer({ ...NOTHING, numHeld: 1, nextDueInMs: 3_600_000 });
  await passes.answer({ ...NOTHING, numHeld: 1 });
  await passes.asked();
});

it('logs an error of the database, pauses and goes on', async () => {
  const passes = start({ ...LONG, errWaitTimeMs: 1 });
  await passes.answer(Promise.reject(new Error('gone')));
  await passes.answer();
  expect(passes.messages).toEqual(['firing schedules failed']);
});

it('logs a schedule whose task was not inserted', async () => {
  const passes = start();
  await passes.answer({
    ...NOTHING,
    failures: [{ name: 'a', error: new Error('unknown target') }],
  });
  expect(passes.messages).toEqual(['the task of a schedule was not inserted']);
});

it('stop waits for the pass under way, and there is none after it', async () => {
  const passes = start();
  await passes.asked();
  let isStopped = false;
  const stopped = passes.scheduler.stop().then(() => {
    isStopped = true;
  });
  await passes.answer({ ...NOTHING, nextDueInMs: 0 });
  await stopped;
  expect([isStopped, passes.isAsked, passes.listeners.size]).toEqual([true, false, 0]);
});

it('stop is safe before start and twice; start twice is one; it may start again', async () => {
  const passes = new Passes();
  await passes.scheduler.stop();
  passes.scheduler.start();
  passes.scheduler.start();
  await passes.answer();
  expect(passes.isAsked).toBe(false);
  await Promise.all([passes.scheduler.stop(), passes.scheduler.stop()]);
  passes.scheduler.start();
  await passes.answer();
  await passes.scheduler[Symbol.asyncDispose]();
});

it('fireDue is one pass without a start, and rejects with what went wrong', async () => {
  const passes = new Passes();
  const fired = passes.scheduler.fireDue();
  await passes.answer({ ...NOTHING, fired: ['a', 'b'] });
  expect(await fired).toBe(2);
  const failed = passes.scheduler.fireDue();
  await Promise.all([
    passes.answer(Promise.reject(new Error('gone'))),
    expect(failed).rejects.toThrow('gone'),
  ]);
});

it('refuses durations that are none', () => {
  expect(() => new Passes({ maxSleepMs: 0 })).toThrow(InvalidOptionError);
});
