/** Where a claim may begin in one lane: at this priority, from this `seq` on. */
interface LanePosition {
  priority: number;
  seq: number;
}

/** What a claim gave, as far as the cursor is concerned. */
export interface ClaimedPosition {
  readonly queue: string;
  readonly action: string;
  readonly priority: number;
  readonly seq: number;
}

/** The cursor stays this many `seq` behind: half for rows that commit out of order, half for claims that begin further on (place_span). */
const SEQ_MARGIN = 2_000;

/** A row that committed later still is found by the next claim from the beginning: so often at most. */
const RESET_INTERVAL_MS = 1_000;

/**
 * Times as long as a claim from the beginning takes until the next: under an old snapshot it steps over all that was
 * claimed since, and one in each second left 0.51 of the throughput after a million tasks; with the pause, 0.82.
 */
const RESET_PAUSE = 40;
/** However long it takes: what was passed over waits no longer than this behind lanes that never run empty. */
const MAX_RESET_INTERVAL_MS = 60_000;

/**
 * Remembers, lane by lane, where the last claim found its first task, so that the next steps over none of
 * the index entries of claimed rows that an old transaction on the server keeps from being removed.
 *
 * With such a transaction open, claims without it fell from 53,000/s to 9,600/s within a million tasks.
 */
export class ClaimCursor {
  readonly #positions = new Map<string, LanePosition>();
  readonly #now: () => number;
  #resetAt = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The position in a lane; undefined: begin at the beginning. */
  at(queue: string, action: string): LanePosition | undefined {
    if (this.#now() >= this.#resetAt) this.reset();
    return this.#positions.get(laneKey(queue, action));
  }

  /** Takes in the tasks of a claim, highest priority first. */
  advance(claimed: readonly ClaimedPosition[]): void {
    const firsts = new Map<string, LanePosition>();
    for (const { queue, action, priority, seq } of claimed) {
      const key = laneKey(queue, action);
      const first = firsts.get(key);
      if (!first || priority < first.priority || (priority === first.priority && seq < first.seq)) {
        firsts.set(key, { priority, seq });
      }
    }
    for (const [key, { priority, seq }] of firsts) {
      this.#positions.set(key, { priority, seq: Math.max(0, seq - SEQ_MARGIN) });
    }
  }

  /** Lets the next claim begin at the beginning. */
  reset(): void {
    this.#positions.clear();
    this.#resetAt = this.#now() + RESET_INTERVAL_MS;
  }

  /** How long a claim from the beginning took. */
  tookFromBeginning(durationMs: number): void {
    const pauseMs = Math.min(RESET_PAUSE * durationMs, MAX_RESET_INTERVAL_MS);
    this.#resetAt = this.#now() + Math.max(RESET_INTERVAL_MS, pauseMs);
  }

  get isEmpty(): boolean {
    return this.#positions.size === 0;
  }
}

function laneKey(queue: string, action: string): string {
  return `${queue}\u0000${action}`;
}
