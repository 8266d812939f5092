import { randomBytes } from 'node:crypto';
import { SnoozeError } from '../errors.js';
import type { GraphDefinition } from '../graph/node-definition.js';

const RANDOM_BYTES = 6;
const PAUSE_MS = 1_000;
/** Of the hash: a few bytes in every task of a run, and more than enough to tell apart the shapes of one version. */
const HASH_CHARACTERS = 12;

/**
 * What all tasks of one start of a run have in common: the hash of the graph, and a random part, since a run may be
 * deleted and another started under its id.
 */
export function newStamp({ hash }: GraphDefinition): string {
  return `${hash.slice(0, HASH_CHARACTERS)}.${randomBytes(RANDOM_BYTES).toString('base64url')}`;
}

/** SnoozeError where the run was started with another shape of the same version: another worker may know it. */
export function checkShape({ name, version, hash }: GraphDefinition, stamp: string): void {
  const own = hash.slice(0, HASH_CHARACTERS);
  if (stamp.startsWith(own)) return;
  const error = new SnoozeError(new Date(Date.now() + PAUSE_MS));
  const [known] = stamp.split('.');
  error.message =
    `waits for a worker that knows graph ${JSON.stringify(name)} version ${version} by the hash ${known}...; ` +
    `this one has ${own}.... Raise the version when the shape changes`;
  throw error;
}
