import type { TaskInput } from 'signalbox';
import { BODY } from './body.js';

/** Graphs of ten tasks: one, eight that wait for it, one that waits for the eight. */
export function* diamonds(size: number, prefix = 'diamond'): Generator<TaskInput> {
  for (let graph = 0; graph < size / 10; graph++) {
    const run = `${prefix}/${graph}`;
    const middle = Array.from({ length: 8 }, (_, i) => `${run}/${i}`);
    yield { id: `${run}/first`, action: 'work', body: BODY, toSignalAfter: middle };
    for (const id of middle) {
      yield { id, action: 'work', body: BODY, toSignalAfter: [`${run}/last`] };
    }
    yield { id: `${run}/last`, action: 'work', body: BODY };
  }
}
