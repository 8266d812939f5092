import { InterruptedError } from './cli-errors.js';
import { EXIT } from './exit-codes.js';

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/** While it stands, the first SIGINT or SIGTERM fires `signal`, and the second ends the process at once. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

export function catchInterrupts(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    onFirst();
    controller.abort(new InterruptedError(undefined, name));
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, interrupt);
    },
  };
}

/** With which signal it was interrupted; undefined: it was not. */
export function signalOf({ reason }: AbortSignal): NodeJS.Signals | undefined {
  return reason instanceof InterruptedError ? reason.signal : undefined;
}
