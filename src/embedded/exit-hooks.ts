/*
 * One listener for the `exit` event, however many servers there are. Hooks run last-in first-out, so a server
 * is ended before its directory is removed. They run synchronously: by then the event loop has ended. A
 * signal that kills this process skips them; that is what the death guard and the next start's cleaning are
 * for.
 */

const hooks = new Set<() => void>();
let isListening = false;

function runHooks(): void {
  for (const hook of [...hooks].reverse()) {
    try {
      hook();
    } catch {
      // Nobody is left to tell, and the other hooks must have their turn.
    }
  }
}

/** Has `hook` run when this process (or worker thread) ends by itself; gives the function that takes it back. */
export function onProcessExit(hook: () => void): () => void {
  if (!isListening) {
    isListening = true;
    process.on('exit', runHooks);
  }
  hooks.add(hook);
  return () => {
    hooks.delete(hook);
  };
}
