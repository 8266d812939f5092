import type { TaskInput } from 'signalbox';
import { BODY } from './body.js';

/** Tasks each of which waits for the one before. */
export function* chain(size: number): Generator<TaskInput> {
  for (let i = 1; i < size; i++) {
    yield { id: `chain/${i}`, action: 'work', body: BODY, toSignalAfter: [`chain/${i + 1}`] };
  }
  yield { id: `chain/${size}`, action: 'work', body: BODY };
}
