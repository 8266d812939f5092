import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from './cli-errors.js';
import { describeError } from './error-report.js';
import { OWN_PACKAGE, OWN_URL, shareOwnPackage } from './own-package.js';

/** What a module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

const TYPESCRIPT = /^\.[cm]?ts$/;

/** Of a module that was read and not begun: what it imports is not there by that name, or has syntax that Node does not strip. */
const UNREAD: ReadonlySet<string> = new Set([
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
]);

/**
 * Imports a module of the user's, JavaScript or TypeScript, without a build step. UsageError.
 *
 * Node imports what it can: TypeScript where it strips types. The rest goes through jiti: all TypeScript elsewhere, enums,
 * and imports of `./a.js` where there is an `a.ts`.
 */
export async function loadModule(path: string): Promise<Exports> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UsageError(`There is no module ${path}.`);
  try {
    return await importFile(file);
  } catch (error) {
    throw new UsageError(`${path} could not be imported: ${describeError(error).message}`, {
      cause: error,
    });
  }
}

async function importFile(file: string): Promise<Exports> {
  if (TYPESCRIPT.test(extname(file)) && !stripsTypes()) return transpile(file);
  shareOwnPackage();
  try {
    const exports: Exports = await import(pathToFileURL(file).href);
    return exports;
  } catch (error) {
    if (!UNREAD.has(describeError(error).code)) throw error;
    return transpile(file);
  }
}

function stripsTypes(): boolean {
  const features: object = process.features;
  return 'typescript' in features && Boolean(features.typescript);
}

type Import = (file: string) => Promise<Exports>;

let importer: Promise<Import> | undefined;

/** One for all, so that modules that import the same one share it. */
function transpile(file: string): Promise<Exports> {
  importer ??= newImporter();
  return importer.then((load) => load(file));
}

async function newImporter(): Promise<Import> {
  shareOwnPackage();
  const { createJiti } = await import('jiti');
  const own: unknown = await import(OWN_URL);
  const jiti = createJiti(import.meta.url, {
    // Else files that others might write to are executed: the cache may lie in a directory for all.
    fsCache: false,
    interopDefault: false,
    virtualModules: { [OWN_PACKAGE]: own },
  });
  return (file) => jiti.import<Exports>(file);
}
