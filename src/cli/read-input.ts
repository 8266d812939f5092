import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Json } from '../store/task-store.js';
import { UsageError } from './cli-errors.js';
import { describeError } from './error-report.js';

/** What `--input` says: JSON, `@FILE`, or `-` for standard input. UsageError. */
export async function readInput(given: string): Promise<Json> {
  if (given === '-') return parse(await text(process.stdin), 'standard input');
  if (!given.startsWith('@')) return parse(given, '--input');
  const file = given.slice(1);
  return parse(await read(file), file);
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--input ${file} cannot be read: ${describeError(error).message}.`, {
      cause: error,
    });
  }
}

function parse(json: string, where: string): Json {
  try {
    const value: Json = JSON.parse(json.replace(/^\ufeff/, ''));
    return value;
  } catch (error) {
    throw new UsageError(
      `The input is not JSON (${where}): ${describeError(error).message}. Give it like '{ "url": "..." }', as @FILE, or as - for standard input.`,
      { cause: error },
    );
  }
}
