import type { Contestants } from '../contestant.js';

/** Those that need nothing but Postgres, in the order in which they take turns. */
export const contestants: Contestants = {
  signalbox: async () => (await import('./signalbox.js')).openSignalbox,
  'bare floor': async () => (await import('./floor.js')).openFloor,
};
