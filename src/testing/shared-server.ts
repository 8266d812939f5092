import { RestartableServer } from '../embedded/restartable-server.js';

/*
 * One embedded server for all test databases of this process that name no other: started by the first, stopped when the
 * last one that uses it stops. Should that never happen, it ends with the process.
 */
let shared: { readonly server: Promise<RestartableServer>; numUsers: number } | undefined;

/** A server, and how to let go of it. */
export interface BorrowedServer {
  readonly server: RestartableServer;
  /** To be called once. */
  release(): Promise<void>;
}

export async function borrowServer(): Promise<BorrowedServer> {
  const borrowed = shared ?? { server: RestartableServer.start(), numUsers: 0 };
  shared = borrowed;
  borrowed.numUsers++;
  const release = async (): Promise<void> => {
    borrowed.numUsers--;
    if (borrowed.numUsers > 0) return;
    if (shared === borrowed) shared = undefined;
    await (await borrowed.server).stop();
  };
  try {
    return { server: await borrowed.server, release };
  } catch (error) {
    // It never started: the next one is to try anew.
    if (shared === borrowed) shared = undefined;
    throw error;
  }
}
