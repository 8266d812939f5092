import type { Contestants } from './contestant.js';
import { ContestantProcess } from './contestant-process.js';
import { findPeers } from './find-peers.js';

const OURS = new URL('contestants/index.ts', import.meta.url).href;

/** Signalbox first, then the bare floor and, if they are asked for, those of the peers that this machine can run. */
export async function openContestants(
  connectionString: string,
  { peers }: { readonly peers: boolean },
): Promise<ContestantProcess[]> {
  const modules = peers ? [OURS, findPeers()] : [OURS];
  const opened: ContestantProcess[] = [];
  try {
    for (const module of modules) {
      const { contestants }: { contestants: Contestants } = await import(module);
      for (const name of Object.keys(contestants)) {
        const contestant = await ContestantProcess.start({ connectionString, module, name });
        if (contestant) opened.push(contestant);
      }
    }
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
  return opened;
}

export async function closeAll(contestants: readonly ContestantProcess[]): Promise<void> {
  for (const contestant of contestants) await contestant.close();
}
