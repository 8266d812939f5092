import { RATE } from './comparison.js';
import { ratioOf, type Target } from './target.js';

/** Peers by their names without versions. */
export const PEERS = {
  'graphile-worker': /^graphile-worker /,
  'pg-boss': /^pg-boss /,
  'BullMQ on Redis': /^bullmq .* on Redis$/,
} as const;

/** At least `times` as fast as a peer, in the same run. */
export function timesAsFast(times: number, peer: keyof typeof PEERS): Target {
  return {
    what: `rate against ${peer}'s`,
    kind: 'at least',
    limit: times,
    value: ratioOf({ who: 'signalbox', what: RATE }, { who: PEERS[peer], what: RATE }),
  };
}
