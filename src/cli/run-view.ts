/** What shows a run while it goes on. */
export interface RunView {
  start(): void;
  /** Safe before start. `isOver`: the run is, and its end is shown; else what was shown goes away. */
  stop(options: { readonly isOver: boolean }): Promise<void>;
}
