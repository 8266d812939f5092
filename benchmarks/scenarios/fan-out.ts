// One to many: one task that 99,999 wait for, all of them signalled by one return. One unit is a task. By one process
// of every contestant that can, and by sixteen processes of ours at once; each against flat tasks by as many processes.
import { fan } from '../fan.js';

export const fanOut = fan({
  name: 'fan-out',
  what: 'perform tasks that all wait for one',
});
