import type { TaskInput } from 'signalbox';
import { BODY } from './body.js';

/** Independent tasks. */
export function* flat(size: number, prefix = 'flat'): Generator<TaskInput> {
  for (let i = 0; i < size; i++) yield { id: `${prefix}/${i}`, action: 'work', body: BODY };
}
