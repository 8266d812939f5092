import type { Gate } from './gate.js';
import type { Job } from './job.js';

/** The gates of most jobs. */
const NO_GATES: readonly Gate<Job>[] = Object.freeze([]);

/**
 * Jobs that wait for a worker, in the order in which they were owned.
 *
 * Gates hold some of them back: one of an action with `concurrency`, one of a limited key, of which the database allows
 * this manager a number. A job passes all of its gates or none; held back, it is parked at the first that is closed,
 * where it blocks none of the workers that others could use, until one that is inside comes out.
 */
export class Channel {
  #jobs: Job[] = [];
  #head = 0;
  /** Let go by a gate: before all others, as they came earlier. */
  #released: Job[] = [];
  #numParked = 0;
  readonly #actionGates = new Map<string, Gate<Job>>();
  readonly #keyGates = new Map<string, Gate<Job>>();

  /** Those that wait at a gate. */
  get numParked(): number {
    return this.#numParked;
  }

  get hasActionGates(): boolean {
    return this.#actionGates.size > 0;
  }

  /** How many more of this action may begin, besides those that run or wait at its gate. */
  numFree(action: string): number {
    const gate = this.#actionGates.get(action);
    if (!gate) return Number.POSITIVE_INFINITY;
    return Math.max(0, gate.capacity - gate.numInside - gate.parked.length);
  }

  /** Jobs that wait, parked ones included. */
  get size(): number {
    return this.#jobs.length - this.#head + this.#released.length + this.#numParked;
  }

  put(job: Job): void {
    if (job.task.slots) this.#allow(job.task.slots).numJobs++;
    this.#jobs.push(job);
  }

  /** From now on at most so many of this action at once; undefined: no limit. */
  limitAction(action: string, concurrency: number | undefined): void {
    const gate = this.#actionGates.get(action);
    if (gate) this.#setCapacity(gate, concurrency ?? Number.POSITIVE_INFINITY);
    else if (concurrency !== undefined) this.#actionGates.set(action, newGate(concurrency));
  }

  /** The next job that may begin, inside its gates until `ended`; undefined: none. */
  take(): Job | undefined {
    for (let job = this.#shift(); job; job = this.#shift()) {
      const gates = this.#gatesOf(job);
      const closed = gates.find((gate) => gate.numInside >= gate.capacity);
      if (!closed && !job.isDecided) {
        for (const gate of gates) gate.numInside++;
        job.gates = gates;
        return job;
      }
      if (job.isDecided) this.#left(job);
      else if (closed) this.#park(job, closed);
      // Where it was let go and did not enter, the next may.
      for (const gate of gates) this.#release(gate);
    }
    return undefined;
  }

  /** A job that was taken has ended: the next at each of its gates may begin. */
  ended(job: Job): void {
    for (const gate of job.gates) {
      gate.numInside--;
      this.#release(gate);
    }
    this.#left(job);
  }

  /** Those next in line, without those that are parked. */
  *ahead(count: number): Generator<Job, void> {
    const end = Math.min(this.#head + count, this.#jobs.length);
    for (let i = this.#head; i < end; i++) {
      const job = this.#jobs[i];
      if (job) yield job;
    }
  }

  /** Lets go of those that are decided: lost, or handed back. They take no room any more. */
  sweep(): void {
    this.#jobs = this.#waiting(this.#jobs.slice(this.#head));
    this.#head = 0;
    this.#released = this.#waiting(this.#released);
    this.#numParked = 0;
    for (const gate of [...this.#actionGates.values(), ...this.#keyGates.values()]) {
      gate.parked.splice(0, gate.parked.length, ...this.#waiting(gate.parked));
      this.#numParked += gate.parked.length;
    }
  }

  #waiting(jobs: readonly Job[]): Job[] {
    return jobs.filter((job) => {
      if (job.isDecided) this.#left(job);
      return !job.isDecided;
    });
  }

  #shift(): Job | undefined {
    const released = this.#released.shift();
    if (released) return released;
    const job = this.#jobs[this.#head];
    if (!job) return undefined;
    if (++this.#head === this.#jobs.length) {
      this.#jobs = [];
      this.#head = 0;
    }
    return job;
  }

  /** One that was parked before stays ahead of those that came later. */
  #park(job: Job, gate: Gate<Job>): void {
    if (job.isParked) gate.parked.unshift(job);
    else gate.parked.push(job);
    job.isParked = true;
    this.#numParked++;
  }

  #gatesOf({ task }: Job): readonly Gate<Job>[] {
    const action = this.#actionGates.size > 0 ? this.#actionGates.get(task.action) : undefined;
    const key = task.slots ? this.#keyGates.get(task.slots.key) : undefined;
    if (action && key) return [action, key];
    const only = action ?? key;
    return only ? [only] : NO_GATES;
  }

  #allow(slots: { key: string; count: number; version: number }): Gate<Job> {
    let gate = this.#keyGates.get(slots.key);
    if (!gate) {
      gate = newGate(slots.count, slots.version);
      this.#keyGates.set(slots.key, gate);
    } else if (slots.version > gate.version) {
      gate.version = slots.version;
      this.#setCapacity(gate, slots.count);
    }
    return gate;
  }

  /**
   * Keys come and go, there may be one for each customer: a gate goes with its last job. Not before: a job let go by it that
   * has not begun would begin without, and the gate of those that come next would not count it.
   */
  #left({ task }: Job): void {
    if (!task.slots) return;
    const { key } = task.slots;
    const gate = this.#keyGates.get(key);
    if (gate && --gate.numJobs === 0) this.#keyGates.delete(key);
  }

  #setCapacity(gate: Gate<Job>, capacity: number): void {
    gate.capacity = capacity;
    this.#release(gate);
  }

  /** As many as there is room for; at their next turn they are looked at anew. */
  #release(gate: Gate<Job>): void {
    if (gate.parked.length === 0) return;
    const released = gate.parked.splice(0, Math.max(0, gate.capacity - gate.numInside));
    this.#numParked -= released.length;
    this.#released.push(...released);
  }
}

function newGate(capacity: number, version = 0): Gate<Job> {
  return { capacity, version, numInside: 0, numJobs: 0, parked: [] };
}
