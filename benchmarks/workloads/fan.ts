import type { TaskInput } from 'signalbox';
import { BODY } from './body.js';

/** All tasks but one, and that one waits for them. */
export function* fanIn(size: number): Generator<TaskInput> {
  for (let i = 1; i < size; i++) {
    yield { id: `fan-in/${i}`, action: 'work', body: BODY, toSignalAfter: ['fan-in/last'] };
  }
  yield { id: 'fan-in/last', action: 'work', body: BODY };
}

/** One task, and all others wait for it. */
export function* fanOut(size: number): Generator<TaskInput> {
  const targets = Array.from({ length: size - 1 }, (_, i) => `fan-out/${i}`);
  yield { id: 'fan-out/first', action: 'work', body: BODY, toSignalAfter: targets };
  for (const id of targets) yield { id, action: 'work', body: BODY };
}
