import type { Run } from './database.js';
import type { LiveWorker, WorkerInfo } from './task-store.js';

export async function announceWorker(
  _run: Run,
  _worker: WorkerInfo,
  _forMs: number,
): Promise<void> {
  throw new Error('not built yet');
}

export async function retireWorker(_run: Run, _id: string): Promise<void> {
  throw new Error('not built yet');
}

export async function listWorkers(_run: Run): Promise<LiveWorker[]> {
  throw new Error('not built yet');
}
