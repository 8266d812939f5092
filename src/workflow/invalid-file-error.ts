import { SignalboxError } from '../errors.js';

/** A file of tasks does not have the form it should have; `path` says where, as one would write it in JavaScript. */
export class InvalidFileError extends SignalboxError {
  readonly path: string;

  constructor(path: string, problem: string, options?: { cause?: unknown }) {
    super('INVALID_FILE', `${path || 'The document'} ${problem}.`, options);
    this.path = path;
  }
}
