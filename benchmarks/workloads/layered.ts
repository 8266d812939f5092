import type { TaskInput } from 'signalbox';
import { BODY } from './body.js';

const LAYERS = 20;
const PARENTS = 3;
const SEED = 20_261_121;

/** Twenty layers of equal width; each task below the first layer waits for three of the layer above, the same ones in every run. */
export function* layered(size: number, prefix = 'layered'): Generator<TaskInput> {
  const width = size / LAYERS;
  const random = seededRandom(SEED);
  for (let layer = 0; layer < LAYERS; layer++) {
    const targets =
      layer + 1 < LAYERS ? chooseTargets(width, (i) => toId(prefix, layer + 1, i), random) : [];
    for (let i = 0; i < width; i++) {
      const toSignalAfter = targets[i] ?? [];
      yield { id: toId(prefix, layer, i), action: 'work', body: BODY, toSignalAfter };
    }
  }
}

function toId(prefix: string, layer: number, i: number): string {
  return `${prefix}/${layer}/${i}`;
}

/** For each task of a layer, those of the next that chose it as a parent. */
function chooseTargets(
  width: number,
  toChildId: (i: number) => string,
  random: () => number,
): string[][] {
  const targets = Array.from({ length: width }, (): string[] => []);
  for (let child = 0; child < width; child++) {
    const parents = new Set<number>();
    while (parents.size < Math.min(PARENTS, width)) parents.add(Math.floor(random() * width));
    for (const parent of parents) targets[parent]?.push(toChildId(child));
  }
  return targets;
}

/** Numbers from 0 to 1, the same for the same seed: a 32-bit state stepped by a constant, its bits mixed by two multiplications. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
