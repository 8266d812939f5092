import { SignalboxError } from '../errors.js';

/** A node that failed, and why. */
export interface NodeFailure {
  /** Its path in the run: `sub/verdict`. */
  readonly node: string;
  readonly status: string;
}

/** A run came to no outputs: nodes failed and nothing handled it, or what its outputs need was skipped. */
export class RunFailedError extends SignalboxError {
  readonly run: string;
  /** Nodes whose failure nothing handled; empty where nothing failed and an output was skipped. */
  readonly failures: readonly NodeFailure[];

  constructor(run: string, status: string | null, failures: readonly NodeFailure[]) {
    super(
      'RUN_FAILED',
      `Run ${JSON.stringify(run)} failed: ${status ?? 'no reason was given'}. Mend the cause, then rerun from what failed.`,
    );
    this.run = run;
    this.failures = failures;
  }
}

/** A run was cancelled before it came to its outputs. */
export class RunCancelledError extends SignalboxError {
  readonly run: string;

  constructor(run: string, status: string | null) {
    super(
      'RUN_CANCELLED',
      `Run ${JSON.stringify(run)} was cancelled${status === null ? '' : `: ${status}`}. Rerun it, or start another.`,
    );
    this.run = run;
  }
}

/** The run's id is taken. */
export class RunExistsError extends SignalboxError {
  readonly run: string;

  constructor(run: string, options?: { cause?: unknown }) {
    super(
      'RUN_EXISTS',
      `Run ${JSON.stringify(run)} exists already. Nothing was inserted; give another runId, or an idempotencyKey to get the run that is there.`,
      options,
    );
    this.run = run;
  }
}

/** The run that an idempotency key, or an id, stands for has another input. */
export class RunInputMismatchError extends SignalboxError {
  readonly run: string;
  /** Null: it was named by its id. */
  readonly idempotencyKey: string | null;

  constructor(run: string, idempotencyKey: string | null) {
    const name = JSON.stringify(run);
    super(
      'RUN_INPUT_MISMATCH',
      idempotencyKey === null
        ? `Run ${name} is there already, and was started with another input. Give that input, or this one another runId.`
        : `The idempotency key ${JSON.stringify(idempotencyKey)} stands for run ${name}, which was started with another input. Use a key for each input.`,
    );
    this.run = run;
    this.idempotencyKey = idempotencyKey;
  }
}

/** A run has no node, or item, of this name. */
export class UnknownNodeError extends SignalboxError {
  readonly run: string;
  readonly node: string;

  constructor(run: string, node: string, wanted: string) {
    super('UNKNOWN_NODE', `Run ${JSON.stringify(run)} has no ${wanted} ${JSON.stringify(node)}.`);
    this.run = run;
    this.node = node;
  }
}
