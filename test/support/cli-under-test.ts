import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { connect, type Signalbox } from '../../src/signalbox.js';
import { type CliProcess, type CliResult, runCli, startCli } from './cli-process.js';

/** The command line against a schema and a directory of the test file's own. */
export interface CliUnderTest {
  readonly box: Signalbox;
  /** The working directory, for files too. */
  readonly directory: string;
  readonly schema: string;
  run(...args: string[]): Promise<CliResult>;
  start(...args: string[]): CliProcess;
  /** Give the path of the file. */
  writeJson(name: string, document: unknown): string;
  writeModule(name: string, text: string): string;
}

/** Makes them before the tests of a file, and takes them away after. */
export function useCli(): CliUnderTest {
  const connectionString = inject('connectionString');
  const schema = `cli_${randomUUID().slice(0, 8)}`;
  const database = ['--database-url', connectionString, '--schema', schema];
  const directory = makeDirectory();
  const opened: { box?: Signalbox } = {};
  beforeAll(async () => {
    opened.box = await connect({ connectionString, schema });
    await opened.box.migrate();
  });
  afterAll(async () => {
    await opened.box?.close();
    await dropSchema(schema);
    rmSync(directory, { recursive: true });
  });
  const write = (name: string, text: string) => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  return {
    get box() {
      if (!opened.box) throw new Error('the box is open within tests only');
      return opened.box;
    },
    directory,
    schema,
    run: (...args) => runCli([...args, ...database], { cwd: directory }),
    start: (...args) => startCli([...args, ...database], { cwd: directory }),
    writeJson: (name, document) => write(name, JSON.stringify(document)),
    writeModule: write,
  };
}

/** Open to an embedded server, which may run as another user. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-cli-'));
  chmodSync(directory, 0o755);
  return directory;
}

export async function dropSchema(schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('connectionString') });
  await client.connect();
  await client.query(`drop schema ${pg.escapeIdentifier(schema)} cascade`);
  await client.end();
}

/** The error that a command with --json gave. */
export function errorOf({ stderr }: CliResult): { code: string; message: string } {
  return JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error;
}
