import type { Contestant, OpenContestant } from '../contestant.js';
import { openFloor } from './floor.js';
import { openSignalbox } from './signalbox.js';

/** Signalbox, the bare floor, and those of the peers that this machine can run. */
export async function openContestants(
  connectionString: string,
  peers: readonly OpenContestant[],
): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const open of [openSignalbox, openFloor, ...peers]) {
    const contestant = await open(connectionString);
    if (contestant) contestants.push(contestant);
  }
  return contestants;
}
