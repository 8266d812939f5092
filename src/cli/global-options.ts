import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';

/** What every command takes. */
export interface GlobalOptions {
  readonly databaseUrl: string | undefined;
  readonly schema: string | undefined;
  readonly prefix: string | undefined;
  readonly isJson: boolean;
  /** `''`: a temporary server; otherwise the directory of its cluster. */
  readonly embedded: string | undefined;
}

const EMBEDDED = '--embedded';

export function addGlobalOptions(program: Command): Command {
  return program
    .option(
      '--database-url <url>',
      'postgres://user:password@host:port/database (default: DATABASE_URL, or PGHOST and its like)',
    )
    .option('--schema <name>', 'the schema that holds the tasks (default: "signalbox")')
    .option('--prefix <name>', 'work in this namespace: ids and actions begin with NAME.')
    .option(
      '--json',
      'results as JSON on stdout; errors, progress and warnings as JSON lines on stderr',
    )
    .option(
      `${EMBEDDED} [dir]`,
      'start an embedded Postgres for this command: temporary, or kept in DIR (write --embedded=DIR)',
    );
}

/** The global options of a command that has been parsed. */
export function readGlobalOptions(command: Command): GlobalOptions {
  const { databaseUrl, schema, prefix, json, embedded } = command.optsWithGlobals<{
    databaseUrl?: string;
    schema?: string;
    prefix?: string;
    json?: boolean;
    embedded?: string | true;
  }>();
  return {
    databaseUrl,
    schema,
    prefix,
    isJson: json === true,
    embedded: embedded === true ? '' : embedded,
  };
}

/**
 * Settles what `--embedded` without `=` takes as its DIR: the next argument, unless that is an option, a command, or
 * a file, which cannot be a directory: `run --embedded tasks.json` means tasks.json to be run.
 */
export function settleEmbedded(argv: readonly string[], commands: readonly string[]): string[] {
  const settled: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    const next = argv[i + 1];
    if (argument === '--') return [...settled, ...argv.slice(i)];
    if (argument !== EMBEDDED) {
      settled.push(argument);
    } else if (next !== undefined && mayBeDirectory(next, commands)) {
      settled.push(`${EMBEDDED}=${next}`);
      i++;
    } else {
      settled.push(`${EMBEDDED}=`);
    }
  }
  return settled;
}

function mayBeDirectory(argument: string, commands: readonly string[]): boolean {
  if (argument.startsWith('-') || commands.includes(argument)) return false;
  return !(existsSync(argument) && statSync(argument).isFile());
}
