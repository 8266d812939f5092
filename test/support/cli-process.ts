import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Without these the command line alone says where the database is. */
const DATABASE_VARIABLES = /^(DATABASE_URL|PG[A-Z]+)$/;

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `signalbox` process. */
export interface CliProcess {
  readonly ended: Promise<CliResult>;
  /** Resolves with the first line on stderr that matches; rejects if the process ends without one. */
  stderrLine(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
}

export function startCli(args: readonly string[], options: { cwd?: string } = {}): CliProcess {
  const env = Object.entries(process.env).filter(([name]) => !DATABASE_VARIABLES.test(name));
  const child = spawn(process.execPath, [MAIN, ...args], {
    ...options,
    env: Object.fromEntries(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  const ended = once(child, 'close').then(() => ({
    exitCode: child.exitCode,
    stdout: stdout(),
    stderr: stderr(),
  }));
  return {
    ended,
    stderrLine: (pattern) => firstLine(child, stderr, pattern),
    signal: (signal) => child.kill(signal),
  };
}

export function runCli(args: readonly string[], options?: { cwd?: string }): Promise<CliResult> {
  return startCli(args, options).ended;
}

function gather(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

function firstLine(child: ChildProcess, stderr: () => string, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const complete = stderr().split('\n').slice(0, -1);
      const line = complete.find((one) => pattern.test(one));
      if (line !== undefined) resolve(line);
    };
    child.stderr?.on('data', look);
    child.on('close', () => reject(new Error(`no line matched ${pattern}:\n${stderr()}`)));
    look();
  });
}
