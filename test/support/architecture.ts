import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix, relative } from 'node:path';

/** Source texts by their path within src, with slashes. */
export type Sources = Readonly<Record<string, string>>;

/**
 * Which modules each may import, besides itself: a module is a folder of src, or a file beside them. Imports go one way:
 * errors, logger, on-abort, timers, column-limits <- graph, store, pool <- prefix, wait, worker, workflow, schedule <- maintain, run
 * <- namespace <- signalbox <- cli, testing, with embedded apart.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  logger: [],
  'on-abort': [],
  timers: [],
  'column-limits': [],
  graph: ['errors', 'logger', 'column-limits'],
  store: ['errors', 'logger', 'column-limits', 'graph'],
  pool: ['errors', 'logger', 'on-abort', 'timers'],
  prefix: ['errors', 'logger', 'store'],
  wait: ['errors', 'logger', 'on-abort', 'timers', 'store'],
  worker: ['errors', 'logger', 'timers', 'store', 'pool'],
  run: ['errors', 'logger', 'column-limits', 'graph', 'store', 'worker'],
  workflow: ['errors', 'logger', 'store'],
  schedule: ['errors', 'logger', 'column-limits', 'store'],
  maintain: ['errors', 'logger', 'store', 'worker'],
  embedded: ['errors', 'logger', 'timers'],
  connection: ['errors', 'logger'],
  signalbox: [
    'errors',
    'logger',
    'connection',
    'graph',
    'store',
    'prefix',
    'wait',
    'schedule',
    'worker',
    'run',
    'namespace',
  ],
  namespace: ['graph', 'prefix', 'worker', 'run'],
  index: [
    'errors',
    'logger',
    'connection',
    'graph',
    'store',
    'pool',
    'worker',
    'run',
    'schedule',
    'maintain',
    'namespace',
    'signalbox',
  ],
  cli: [
    'errors',
    'logger',
    'timers',
    'connection',
    'graph',
    'store',
    'prefix',
    'wait',
    'worker',
    'workflow',
    'schedule',
    'maintain',
    'run',
    'signalbox',
    'embedded',
    'index',
  ],
  testing: [
    'errors',
    'logger',
    'connection',
    'store',
    'worker',
    'namespace',
    'signalbox',
    'embedded',
    'index',
  ],
};

/** Where a driver of Postgres may be imported, and where its types may be named. */
const DRIVERS = ['pg', 'pg-listen', 'pg-copy-streams'];
const MAY_USE_DRIVERS: Readonly<Record<string, readonly string[]>> = {
  pg: ['store', 'embedded', 'connection'],
  'pg-copy-streams': ['store'],
  'pg-listen': ['wait'],
};
const MAY_NAME_TYPES_OF_PG = ['wait', 'signalbox', 'testing'];
const MAY_HOLD_SQL = ['store', 'embedded'];
const MAY_READ_ENVIRONMENT = ['cli', 'connection'];
const MAX_LINES = 400;

const IMPORT = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC_IMPORT = /\bimport\('([^']+)'\)/g;
const SQL = /['"`]\s*(?:select\s|insert into\s|delete from\s|update\s+\S+\s+set\s|truncate\s)/i;
const ANY = /(?:[:<|&,(]|\bas|=>)\s*any\b(?:\[\]|\s*[;,)>|&=[{]|$)/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

/** All .ts files below a folder. */
export async function readSources(root: string): Promise<Sources> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  const texts = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [relative(root, file).replaceAll('\\', '/'), await readFile(file, 'utf8')] as const;
    }),
  );
  return Object.fromEntries(texts);
}

/** What breaks the rules of the architecture, a line each. */
export function violations(sources: Sources): string[] {
  const imports = Object.entries(sources).flatMap(([file, text]) => importsOf(file, text));
  return [
    ...imports.flatMap(faultOfDirection),
    ...imports.flatMap(faultOfDriver),
    ...Object.entries(sources).flatMap(([file, text]) => faultsOfText(file, text)),
    ...circles(imports),
  ];
}

/** Every import of a file; of files within src by their path. */
export function importsOf(file: string, text: string): Import[] {
  const code = withoutComments(text);
  const statics = Array.from(code.matchAll(IMPORT), ([, type, to = '']) => ({
    to,
    isTypeOnly: type !== undefined,
  }));
  const dynamics = Array.from(code.matchAll(DYNAMIC_IMPORT), ([, to = '']) => ({
    to,
    isTypeOnly: false,
  }));
  return [...statics, ...dynamics].map(({ to, isTypeOnly }) => ({
    from: file,
    to: to.startsWith('.') ? posix.join(dirname(file), to).replace(/\.js$/, '.ts') : to,
    isTypeOnly,
  }));
}

/** Lines of comment become empty, so that lines keep their numbers. */
function withoutComments(text: string): string {
  return text
    .split('\n')
    .map((line) => (/^\s*(?:\/\/|\/\*|\*)/.test(line) ? '' : line.replace(/\s\/\/ .*$/, '')))
    .join('\n');
}

/** `store/rows.ts` is of `store`, `errors.ts` of `errors`. */
function moduleOf(file: string): string {
  return file.replace(/\/.*/, '').replace(/\.ts$/, '');
}

function isInside(to: string): boolean {
  return to.endsWith('.ts');
}

function faultOfDirection({ from, to }: Import): string[] {
  if (!isInside(to)) return [];
  const [importer, imported] = [moduleOf(from), moduleOf(to)];
  const allowed = MAY_IMPORT[importer];
  if (!allowed) return [`${from}: the module ${importer} has no place in the architecture`];
  if (importer === imported || allowed.includes(imported)) return [];
  return [`${from} imports ${to}: ${importer} may not import ${imported}`];
}

function faultOfDriver({ from, to, isTypeOnly }: Import): string[] {
  if (!DRIVERS.includes(to)) return [];
  const importer = moduleOf(from);
  const isNaming = isTypeOnly && to === 'pg' && MAY_NAME_TYPES_OF_PG.includes(importer);
  if (isNaming || MAY_USE_DRIVERS[to]?.includes(importer)) return [];
  return [`${from} imports ${to}: ${importer} knows no database`];
}

function faultsOfText(file: string, text: string): string[] {
  const importer = moduleOf(file);
  const lines = withoutComments(text).split('\n');
  const faults: string[] = [];
  if (lines.length - 1 > MAX_LINES) faults.push(`${file} has ${lines.length - 1} lines`);
  for (const [i, line] of lines.entries()) {
    const at = `${file}:${i + 1}`;
    if (!MAY_HOLD_SQL.includes(importer) && SQL.test(line)) faults.push(`${at} holds SQL`);
    if (!MAY_READ_ENVIRONMENT.includes(importer) && /\bprocess\.env\b/.test(line)) {
      faults.push(`${at} reads the environment`);
    }
    if (ANY.test(withoutStrings(line))) faults.push(`${at} says any`);
  }
  return faults;
}

function withoutStrings(line: string): string {
  return line.replace(/'[^']*'|"[^"]*"|`[^`]*`/g, "''");
}

/** Each circle of files once, as the path around it. */
function circles(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) {
    if (isInside(to)) targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push(`circle: ${[...path.slice(start), file].join(' -> ')}`);
    if (start >= 0 || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}
