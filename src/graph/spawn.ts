/** A graph that a handler may start runs of: any graph is one. `J` is the input that a run is started with. */
export interface SpawnableGraph<in J> {
  readonly name: string;
  readonly version: number;
  /** For the compiler only; never there at run time. */
  readonly '~types'?: { readonly input: (input: J) => void; readonly output: unknown };
}

/** The graphs whose runs a handler may spawn; a function where one of them is not defined yet, such as the node's own. */
export type Spawns = readonly SpawnableGraph<never>[] | (() => readonly SpawnableGraph<never>[]);

export interface SpawnOptions {
  /** Of several spawns with one key in a try there is one run: that of the first. Default: each is its own. */
  readonly key?: string;
  /** Of nodes that do not say theirs. Default: that of the task which spawns. */
  readonly priority?: number;
  /** Of nodes that do not say theirs. Default: that of the task which spawns. */
  readonly queue?: string;
}

/** A run that will be there once the handler has returned. JSON, so that a handler may return it. */
export interface SpawnedRun {
  /** `etl/42/crawl/~spawned/0`: what opens it. */
  readonly id: string;
}

/**
 * Starts a run below the task, whose node ends only when the run has ended. The run is inserted in the transaction in
 * which the task is returned: a try that fails leaves none.
 *
 * InvalidValueError for an input that does not fit; PermanentError for a graph that the node's `spawns` does not name.
 */
export interface Spawn {
  (graph: SpawnableGraph<void>): Promise<SpawnedRun>;
  <J>(graph: SpawnableGraph<J>, input: NoInfer<J>, options?: SpawnOptions): Promise<SpawnedRun>;
}
