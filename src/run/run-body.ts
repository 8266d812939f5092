import { randomBytes } from 'node:crypto';
import type { Json } from '../store/task-store.js';

const STAMP_BYTES = 6;

/** The body of a run's own task. */
export interface RunBody {
  readonly input?: Json;
  readonly version: number;
  readonly hash: string;
  /** What the bodies of its other tasks are. */
  readonly stamp: string;
}

/** What all tasks of one start of a run have in common: a run may be deleted, and another started under its id. */
export function newStamp(): string {
  return randomBytes(STAMP_BYTES).toString('base64url');
}

/** As `runTasks` has written it. */
export function readRunBody(body: Json): RunBody {
  if (typeof body === 'object' && body !== null && 'stamp' in body && 'version' in body) {
    const { hash, version, input, stamp } = body;
    const known = { version: Number(version), hash: String(hash), stamp: String(stamp) };
    return input === undefined ? known : { ...known, input };
  }
  throw new TypeError('the task is no run of a graph');
}
