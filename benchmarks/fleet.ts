/*
 * Worker processes, each with its own box and ActionManager on one schema.
 *
 *   started --perform()--> performing --all returned, all stopped--> started --close()--> gone
 *
 * Members say how many returns were committed, once a turn of their event loops, so the clock stops when the last
 * task is done in the database and not when a poll finds out. A member that fails or dies rejects what is under way.
 * A parent that dies disconnects its members, and they end.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endChild } from './end-child.js';
import type { Command, MemberOptions, Report } from './fleet-messages.js';
import type { WorkloadName } from './workloads/index.js';

const MEMBER = fileURLToPath(new URL('fleet-member.ts', import.meta.url));

/** The most that any member used so far. */
export interface Memory {
  readonly rssMb: number;
  readonly heapMb: number;
}

export class Fleet {
  readonly #members: readonly ChildProcess[];
  #listen: (report: Report) => void = () => {};
  #fail: (error: Error) => void = () => {};
  #memory: Memory = { rssMb: 0, heapMb: 0 };
  #isClosing = false;

  /** Resolves once every process is connected to its parent; the database they reach at first use. */
  static async start(processes: number, options: MemberOptions): Promise<Fleet> {
    const fleet = new Fleet(processes, options);
    await fleet.#until(() => {}, countdown(processes, 'ready'));
    return fleet;
  }

  private constructor(processes: number, options: MemberOptions) {
    this.#members = Array.from({ length: processes }, () => {
      const member = fork(MEMBER, [JSON.stringify(options)]);
      member.on('message', (report: Report) => this.#hear(report));
      member.on('exit', (code) => {
        if (!this.#isClosing) this.#fail(new Error(`a worker process ended with ${code}`));
      });
      return member;
    });
  }

  get memory(): Memory {
    return this.#memory;
  }

  /** Has the first process insert tasks. */
  async insert(workload: WorkloadName, size: number, prefix?: string): Promise<void> {
    const [first] = this.#members;
    const command: Command = {
      kind: 'insert',
      workload,
      size,
      ...(prefix === undefined ? {} : { prefix }),
    };
    await this.#until(() => first?.send(command), countdown(1, 'inserted'));
  }

  /** Has all processes perform until `size` tasks are returned; resolves with the milliseconds from the start to the last of them. */
  async perform(size: number): Promise<number> {
    let left = size;
    const startedAt = performance.now();
    await this.#until(
      () => this.#tell({ kind: 'start' }),
      (report) => {
        if (report.kind === 'returned') left -= report.count;
        return left <= 0;
      },
    );
    const elapsedMs = performance.now() - startedAt;
    const stopped = countdown(this.#members.length, 'stopped');
    await this.#until(() => this.#tell({ kind: 'stop' }), stopped);
    if (left < 0)
      throw new Error(`${size - left} tasks were performed, and there are only ${size}`);
    return elapsedMs;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#members.map(endChild));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #tell(command: Command): void {
    for (const member of this.#members) member.send(command);
  }

  #hear(report: Report): void {
    if (report.kind === 'failed') this.#fail(new Error(`a worker process failed: ${report.error}`));
    if (report.kind === 'stopped') {
      const rssMb = Math.max(this.#memory.rssMb, report.peakRssMb);
      this.#memory = { rssMb, heapMb: Math.max(this.#memory.heapMb, report.peakHeapMb) };
    }
    this.#listen(report);
  }

  /** Begins, and resolves with the report that `isLast`. */
  #until(begin: () => void, isLast: (report: Report) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#listen = (report) => {
        if (isLast(report)) resolve();
      };
      begin();
    });
  }
}

/** Says true at the `count`th report of a kind. */
function countdown(count: number, kind: Report['kind']): (report: Report) => boolean {
  let left = count;
  return (report) => report.kind === kind && --left === 0;
}
