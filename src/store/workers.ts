import { InvalidOptionError } from '../errors.js';
import type { Query } from './database.js';
import { checkDuration, toInterval } from './durations.js';
import { isToken } from './return-tasks.js';
import { toLiveWorker, WORKER_COLUMNS } from './rows.js';
import type { LiveWorker, WorkerInfo } from './task-store.js';

export async function announceWorker(
  query: Query,
  worker: WorkerInfo,
  forMs: number,
): Promise<void> {
  checkWorkerId(worker.id);
  checkDuration('forMs', forMs);
  await query('select signalbox.announce_worker($1, $2, $3, $4, $5)', [
    worker.id,
    worker.actorId,
    worker.queues,
    worker.actions,
    toInterval(forMs),
  ]);
}

export async function retireWorker(query: Query, id: string): Promise<void> {
  checkWorkerId(id);
  await query('select signalbox.retire_worker($1)', [id]);
}

export async function listWorkers(query: Query): Promise<LiveWorker[]> {
  const rows = await query(`select ${WORKER_COLUMNS} from signalbox.list_workers()`, []);
  return rows.map(toLiveWorker);
}

function checkWorkerId(id: string): void {
  if (!isToken(id)) throw new InvalidOptionError('id', `is ${JSON.stringify(id)}; give a UUID`);
}
