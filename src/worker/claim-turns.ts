/**
 * Shares the room of one manager among the claim loops of its actors: what one has asked for is not asked for by another.
 *
 * A loop that finds no room waits in line, and takes what there is when its turn comes. While one waits, none claims
 * ahead: a busy actor leaves others their turn after each claim.
 */
export class ClaimTurns {
  readonly #room: (besides: number) => number;
  #waiting: (() => void)[] = [];
  #numAsked = 0;

  /** `room`: for how many tasks there is room, besides so many more; 0: not enough to be worth asking. */
  constructor(room: (besides: number) => number) {
    this.#room = room;
  }

  /** Tasks asked for, by all loops. */
  get numAsked(): number {
    return this.#numAsked;
  }

  /** So many were asked for: they take room until `answered`. */
  asked(numTasks: number): void {
    this.#numAsked += numTasks;
    this.roomGrew();
  }

  answered(numTasks: number): void {
    this.#numAsked -= numTasks;
  }

  /** For how many one may claim ahead; `numArrived` are in hand and do not take room yet. */
  roomAhead(numArrived: number): number {
    return this.#waiting.length > 0 ? 0 : this.#room(numArrived + this.#numAsked);
  }

  /** Room when one's turn has come; 0: `isStopped` says so. */
  async untilRoom(isStopped: () => boolean): Promise<number> {
    let room = this.roomAhead(0);
    while (room === 0 && !isStopped()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      room = this.#room(this.#numAsked);
    }
    return room;
  }

  /** There may be more room than there was: the next in line looks. */
  roomGrew(): void {
    if (this.#waiting.length > 0 && this.#room(this.#numAsked) > 0) this.#waiting.shift()?.();
  }

  /** All look, whether there is room or not: some are to stop. */
  wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
