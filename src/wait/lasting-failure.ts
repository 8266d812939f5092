import { SignalboxError } from '../errors.js';

/** SQLSTATE classes that the same query meets again: data, constraints, authorisation, missing objects, rights. */
const LASTING_CLASSES: ReadonlySet<string> = new Set(['22', '23', '28', '3D', '3F', '42']);

/**
 * Whether the failure of a query will be met by every repetition of it.
 *
 * Anything unknown counts as passing: lost connections, restarts and time-outs come in too many forms to list.
 */
export function isLastingFailure(error: unknown): boolean {
  if (error instanceof SignalboxError || error instanceof TypeError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.length === 5 && LASTING_CLASSES.has(code.slice(0, 2));
}
