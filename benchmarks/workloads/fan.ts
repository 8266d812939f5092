import type { TaskInput } from 'signalbox';
import { BODY } from './body.js';

/** All tasks but one, and that one waits for them. */
export function* fanIn(size: number, prefix = 'fan-in'): Generator<TaskInput> {
  const toSignalAfter = [`${prefix}/last`];
  for (let i = 1; i < size; i++) {
    yield { id: `${prefix}/${i}`, action: 'work', body: BODY, toSignalAfter };
  }
  yield { id: `${prefix}/last`, action: 'work', body: BODY };
}

/** One task, and all others wait for it. */
export function* fanOut(size: number, prefix = 'fan-out'): Generator<TaskInput> {
  const targets = Array.from({ length: size - 1 }, (_, i) => `${prefix}/${i}`);
  yield { id: `${prefix}/first`, action: 'work', body: BODY, toSignalAfter: targets };
  for (const id of targets) yield { id, action: 'work', body: BODY };
}
