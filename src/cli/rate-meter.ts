interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** How fast something goes on: by how much, a second, within the last so many milliseconds. */
export class RateMeter {
  readonly #windowMs: number;
  #samples: Sample[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Takes in how far it is, and gives the rate; 0 at the first. */
  add(done: number, atMs: number): number {
    this.#samples.push({ atMs, done });
    // One sample from before the window stays: the rate is that since then.
    while (this.#samples[1] && this.#samples[1].atMs <= atMs - this.#windowMs) {
      this.#samples.shift();
    }
    const [oldest] = this.#samples;
    if (!oldest || oldest.atMs === atMs) return 0;
    return ((done - oldest.done) * 1_000) / (atMs - oldest.atMs);
  }
}
