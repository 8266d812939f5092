import { SignalboxError } from '../errors.js';

/** An error as data: its code, its message, and what else it carries for programs. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

const LEFT_OUT: ReadonlySet<string> = new Set(['name', 'stack', 'cause']);
const UNKNOWN_CODE = 'UNEXPECTED';

/** Never throws, whatever was thrown. The fields of a SignalboxError are kept, except its cause and stack. */
export function describeError(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { code: UNKNOWN_CODE, message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : UNKNOWN_CODE;
  return { ...ownFields(error), code, message: messageOf(error) };
}

function messageOf(error: Error): string {
  if (error.message !== '') return error.message;
  // What Node gives when a host has several addresses and none answers: the parts say what happened.
  if (error instanceof AggregateError) {
    return error.errors.map((part) => describeError(part).message).join('; ');
  }
  return error.name;
}

/** Those of our own errors are meant for programs; those of others (whole connections, among them) are not. */
function ownFields(error: Error): Record<string, unknown> {
  if (!(error instanceof SignalboxError)) return {};
  return Object.fromEntries(Object.entries(error).filter(([name]) => !LEFT_OUT.has(name)));
}
