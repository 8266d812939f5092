import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A program to run, without a shell. `env` is added to our own environment. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How it ended. The texts are what it wrote last, at most 8,192 characters each. */
export type CommandResult = {
  /** A number, or the name of the signal that ended it. */
  readonly exitCode: number | string;
  readonly stdout: string;
  readonly stderr: string;
};

const KEPT_CHARACTERS = 8_192;

/** Resolves when the program has ended, however it did; rejects when it cannot be started. `signal` ends it. */
export async function runCommandLine(
  { program, args, cwd, env }: CommandLine,
  signal: AbortSignal,
): Promise<CommandResult> {
  const child = spawn(program, args, {
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const stdout = keepTail(child.stdout);
  const stderr = keepTail(child.stderr);
  const exitCode = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, killedBy) => resolve(code ?? killedBy ?? 'unknown'));
  });
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

/** Gives the function that tells what came last. \u0000, which Postgres cannot store, becomes the replacement character. */
function keepTail(stream: Readable): () => string {
  const decoder = new StringDecoder('utf8');
  let tail = '';
  stream.on('data', (chunk: Buffer) => {
    tail = (tail + decoder.write(chunk)).slice(-KEPT_CHARACTERS);
  });
  // Through a Buffer, which makes half a surrogate pair, left by the cut, a replacement character too.
  return () => Buffer.from((tail + decoder.end()).replaceAll('\u0000', '\ufffd')).toString();
}
