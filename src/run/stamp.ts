import { randomBytes } from 'node:crypto';
import { SnoozeError } from '../errors.js';
import type { GraphDefinition } from '../graph/node-definition.js';

const RANDOM_BYTES = 6;
const PAUSE_MS = 1_000;

/**
 * What all tasks of one start of a run have in common: the hash of the graph, and a random part, since a run may be
 * deleted and another started under its id.
 */
export function newStamp({ hash }: GraphDefinition): string {
  return `${hash}.${randomBytes(RANDOM_BYTES).toString('base64url')}`;
}

/** SnoozeError where the run was started with another shape of the same version: another worker may know it. */
export function checkShape({ name, version, hash }: GraphDefinition, stamp: string): void {
  if (stamp.startsWith(hash)) return;
  const error = new SnoozeError(new Date(Date.now() + PAUSE_MS));
  const [known] = stamp.split('.');
  error.message =
    `waits for a worker that knows graph ${JSON.stringify(name)} version ${version} by the hash ${known}; ` +
    `this one has ${hash}. Raise the version when the shape changes`;
  throw error;
}
