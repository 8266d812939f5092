import { InvalidOptionError } from '../errors.js';
import type { Run } from './database.js';
import { checkDuration, toInterval } from './durations.js';
import { isToken } from './return-tasks.js';
import { toLiveWorker, WORKER_COLUMNS } from './rows.js';
import type { LiveWorker, WorkerInfo } from './task-store.js';

export async function announceWorker(run: Run, worker: WorkerInfo, forMs: number): Promise<void> {
  checkWorkerId(worker.id);
  checkDuration('forMs', forMs);
  await run('select signalbox.announce_worker($1, $2, $3, $4, $5)', [
    worker.id,
    worker.actorId,
    worker.queues,
    worker.actions,
    toInterval(forMs),
  ]);
}

export async function retireWorker(run: Run, id: string): Promise<void> {
  checkWorkerId(id);
  await run('select signalbox.retire_worker($1)', [id]);
}

export async function listWorkers(run: Run): Promise<LiveWorker[]> {
  const rows = await run(`select ${WORKER_COLUMNS} from signalbox.list_workers()`, []);
  return rows.map(toLiveWorker);
}

function checkWorkerId(id: string): void {
  if (!isToken(id)) throw new InvalidOptionError('id', `is ${JSON.stringify(id)}; give a UUID`);
}
