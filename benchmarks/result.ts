import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Figure } from './figure.js';
import type { Machine } from './machine.js';
import type { Verdict } from './target.js';

/** What a run of one scenario found; the shape of every file in results/. */
export interface Result {
  readonly scenario: string;
  readonly what: string;
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly size: number;
  readonly unit: string;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly figures: readonly Figure[];
  readonly targets: readonly Verdict[];
}

export async function writeResult(folder: URL, result: Result): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    new URL(`${result.scenario}.json`, folder),
    `${JSON.stringify(result, null, 2)}\n`,
  );
}

/** Undefined where the scenario has not been measured. */
export async function readResult(folder: URL, scenario: string): Promise<Result | undefined> {
  try {
    return JSON.parse(await readFile(new URL(`${scenario}.json`, folder), 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
