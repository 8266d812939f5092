import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A script of test/support in a process of its own. */
export interface ChildScript {
  /** Resolves with the signal that ended it, or null. */
  readonly ended: Promise<NodeJS.Signals | null>;
  /** Resolves with the first line, from now on, that matches; rejects if it ends without one. */
  line(pattern: RegExp): Promise<string>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts it; it is killed at the end of the test. `imports`: modules to load before. */
export function startScript(
  name: string,
  args: readonly string[],
  imports: readonly string[] = [],
): ChildScript {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const loaders = ['tsx', ...imports].flatMap((module) => ['--import', module]);
  const child = spawn(process.execPath, [...loaders, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close').then(() => child.signalCode);
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal);
    await ended;
  };
  onTestFinished(() => kill());
  return { ended, kill, line: (pattern) => nextLine(child, pattern) };
}

function nextLine(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (!child.stdout) throw new Error('its output is not piped');
  const lines = createInterface(child.stdout);
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      if (!pattern.test(line)) return;
      lines.close();
      resolve(line);
    });
    child.once('close', () => reject(new Error(`it ended without a line like ${pattern}`)));
  });
}
