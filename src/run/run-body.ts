import type { Json } from '../store/task-store.js';
import type { RunBody } from './run-tasks.js';

/** The body of a run's own task, which `runTasks` has written. */
export function readRunBody(body: Json): RunBody {
  if (typeof body === 'object' && body !== null && 'hash' in body && 'version' in body) {
    const { hash, version, input } = body;
    const numbered = { version: Number(version), hash: String(hash) };
    return input === undefined ? numbered : { ...numbered, input };
  }
  throw new TypeError('the task is no run of a graph');
}
