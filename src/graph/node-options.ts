import type { GraphContext, MapContext, TaskContext } from './context.js';
import type { DepValues } from './edges.js';
import type { Collected, Node } from './node.js';
import type { Schema } from './schema.js';
import type { Spawns } from './spawn.js';

/** How long a failed try stays away before the next. */
export interface NodeRetryPolicy {
  /** Milliseconds before the second try. */
  readonly delayMs: number;
  /** Each further delay is this many times the one before. Default 1. */
  readonly factor?: number;
  /** No delay is longer than this. Default: no limit. */
  readonly maxDelayMs?: number;
  /** Each delay is varied at random by up to this part of it, 0 to 1. Default 0. */
  readonly jitter?: number;
}

/** How a node is performed; of a map, how each of its items is. */
export interface PerformOptions {
  /** Tries after the first. Default 2. */
  readonly retries?: number;
  /** All tries: another way to say `retries`. */
  readonly maxTries?: number;
  /** Default: at once. */
  readonly retry?: NodeRetryPolicy;
  /** A try that takes longer has failed. Default: no limit. */
  readonly timeoutMs?: number;
  /** -32,768 to 32,767; higher first. Default: the run's. */
  readonly priority?: number;
  /** Default: the run's. */
  readonly queue?: string;
  /** Counts towards the limits of this key. */
  readonly limitKey?: string;
  /** At most so many tasks of `limitKey` are performed at once, over all processes. */
  readonly limit?: number;
}

export interface AfterOptions<D> {
  readonly after?: D;
}

interface WorkingOptions<I, D> extends AfterOptions<D> {
  /** False: skipped, with the reason `its condition is false`. Asked only if the dependencies let the node run. */
  readonly if?: (context: GraphContext<I, DepValues<D>>) => boolean | Promise<boolean>;
  /** Graphs whose runs the handler may start with `spawn`: the node ends only when they have. Default: none. */
  readonly spawns?: Spawns;
}

/** Names the action whose handler lives apart, with what that handler takes and returns. */
export interface ActionRef<in Context, out S> {
  readonly action: string;
  /** For the compiler only; never there at run time. */
  readonly '~types'?: { readonly context: (context: Context) => void; readonly output: S };
}

/** Who does the work: a handler here, or the name of an action whose handler a worker has. */
type Work<Context, S, T> = {
  /** What the result must fit, and what gives it its type if `run` does not. */
  readonly output?: Schema<S, T>;
} & (
  | { readonly run: (context: Context) => S | Promise<S>; readonly action?: undefined }
  | { readonly action: string | ActionRef<Context, S>; readonly run?: undefined }
);

/** `S` is what the handler returns, `T` what `output` makes of it; without `output` the same. */
export type TaskOptions<I, D, S, T> = WorkingOptions<I, D> &
  PerformOptions &
  Work<TaskContext<I, DepValues<D>>, S, T>;

/** When a map has failed: once `count` items have, or once more than this part of all has (0: any, below 1). */
export type FailAfter = { readonly count: number } | { readonly ratio: number };

export type MapOptions<I, D, E, S, T> = WorkingOptions<I, D> &
  PerformOptions &
  Work<MapContext<I, DepValues<D>, E>, S, T> & {
    /** An array, or another map: then item i waits for item i of that one only. */
    readonly over: Node<readonly E[] | Collected<E>>;
    /** At most so many items at once, over all processes. Default: no limit. */
    readonly concurrency?: number;
    /** Default `{ count: 1 }`. */
    readonly failAfter?: FailAfter;
  };

export interface EventOptions<D, S, T> extends AfterOptions<D> {
  /** What the payload must fit, and what gives it its type. */
  readonly schema?: Schema<S, T>;
  /** Failed if nothing came so long after its dependencies ended. Default: waits for ever. */
  readonly timeoutMs?: number;
}

/** How long a sleep takes: milliseconds, or until a date. */
export type SleepTime<I, D> =
  | number
  | ((context: GraphContext<I, DepValues<D>>) => number | Date | Promise<number | Date>);

/** Of a handler that takes nothing: unknown, so that any node may have it. */
type ContextOf<Handler> = Handler extends (context: infer Context) => unknown ? Context : never;

/**
 * Names an action and the type of its handler, which need not be loaded: `handledBy<typeof sendMail>('send-mail')` with
 * `import type { sendMail }`. The compiler checks that the node gives that handler what it takes.
 */
export function handledBy<Handler extends (context: never) => unknown>(
  action: string,
): ActionRef<ContextOf<Handler>, Awaited<ReturnType<Handler>>> {
  return Object.freeze({ action });
}
