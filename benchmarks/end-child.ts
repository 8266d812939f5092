import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Resolves when a forked process, which ends when its parent disconnects, has gone. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (!child.connected) return;
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}
