import type { TaskStore } from '../../src/index.js';
import { altered } from '../../src/testing/altered.js';

/** The store with some methods replaced. */
export function alteredStore(store: TaskStore, methods: Partial<TaskStore>): TaskStore {
  return altered(store, methods);
}

/** What a test waits for, and how it is told. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
