import type { TaskInput } from 'signalbox';
import { BODY } from './body.js';

/** Tasks each of which waits for the one before. */
export function* chain(size: number, prefix = 'chain'): Generator<TaskInput> {
  for (let i = 1; i < size; i++) {
    yield {
      id: `${prefix}/${i}`,
      action: 'work',
      body: BODY,
      toSignalAfter: [`${prefix}/${i + 1}`],
    };
  }
  yield { id: `${prefix}/${size}`, action: 'work', body: BODY };
}
