// Many to one: 99,999 tasks that all signal the last one, which is updated by every batch that is returned. One unit is
// a task. By one process of every contestant that can, and by sixteen processes of ours at once, where owners compete
// for the row and no deadlock may come of it; each against flat tasks by as many processes.
import { fan } from '../fan.js';

export const fanIn = fan({
  name: 'fan-in',
  what: 'perform tasks that all signal one',
});
