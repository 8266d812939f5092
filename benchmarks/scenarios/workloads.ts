import type { TaskInput } from 'signalbox';

/** About 100 bytes of JSON, as a task's body tends to be. */
const BODY = {
  bucket: 'measurements',
  key: 'year=2026/month=11/day=21/part-00017.parquet',
  size: 73_400_320,
};

/** Independent tasks. */
export function* flat(size: number): Generator<TaskInput> {
  for (let i = 0; i < size; i++) yield { id: `flat/${i}`, action: 'work', body: BODY };
}

/** Graphs of ten tasks: one, eight that wait for it, one that waits for the eight. */
export function* diamonds(size: number): Generator<TaskInput> {
  for (let graph = 0; graph < size / 10; graph++) {
    const run = `diamond/${graph}`;
    const middle = Array.from({ length: 8 }, (_, i) => `${run}/${i}`);
    yield { id: `${run}/first`, action: 'work', body: BODY, toSignalAfter: middle };
    for (const id of middle) {
      yield { id, action: 'work', body: BODY, toSignalAfter: [`${run}/last`] };
    }
    yield { id: `${run}/last`, action: 'work', body: BODY };
  }
}
