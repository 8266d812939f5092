import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf, readSources, type Sources, violations } from '../support/architecture.js';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** A small tree that keeps every rule. */
const SOUND: Sources = {
  'errors.ts': 'export class SomeError extends Error {}\n',
  'logger.ts': 'export interface Logger {}\n',
  'connection.ts': "import pg from 'pg';\nexport const url = process.env.DATABASE_URL;\n",
  'graph/checks.ts': "import { SomeError } from '../errors.js';\n",
  'store/database.ts': "import pg from 'pg';\nconst text = `select 1`;\n",
  'store/rows.ts': "import type { Database } from './database.js';\n",
  'wait/hub.ts': "import type pg from 'pg';\nimport pgListen from 'pg-listen';\n",
  'worker/actor.ts': "import type { Rows } from '../store/rows.js';\n",
  'embedded/index.ts': "import { SomeError } from '../errors.js';\n",
  'signalbox.ts': "import { Database } from './store/database.js';\n",
  'cli/main.ts':
    "import { connect } from '../signalbox.js';\nconst embedded = import('../embedded/index.js');\n",
  'index.ts': "export * from './errors.js';\nexport { connect } from './signalbox.js';\n",
};

describe('the sources', () => {
  it('keep the rules of the architecture', async () => {
    const sources = await readSources(SRC);
    expect(Object.keys(sources).length).toBeGreaterThan(50);
    expect(violations(sources)).toEqual([]);
  });

  it('import something, as far as the checker can see', async () => {
    const sources = await readSources(SRC);
    const imports = Object.entries(sources).flatMap(([file, text]) => importsOf(file, text));
    const inside = imports.filter(({ to }) => to.endsWith('.ts'));
    expect(inside.length).toBeGreaterThan(100);
    // Each leads to a file that is there: no import is misread.
    expect(inside.filter(({ to }) => !(to in sources))).toEqual([]);
  });
});

describe('the checker', () => {
  it('finds nothing wrong with a sound tree', () => {
    expect(violations(SOUND)).toEqual([]);
  });

  it.each([
    [
      'an import against the direction',
      'graph/a.ts',
      "import { Rows } from '../store/rows.js';\n",
      'graph may not import store',
    ],
    [
      'one of a type',
      'store/a.ts',
      "import type { Actor } from '../worker/actor.js';\n",
      'store may not import worker',
    ],
    [
      'one over several lines',
      'worker/a.ts',
      "import {\n  a,\n  b,\n} from '../wait/hub.js';\n",
      'worker may not import wait',
    ],
    [
      'one at run time',
      'wait/a.ts',
      "const a = await import('../worker/actor.js');\n",
      'wait may not import worker',
    ],
    [
      'a re-export',
      'errors.ts',
      "export { a } from './logger.js';\n",
      'errors may not import logger',
    ],
    [
      'an import for its effect',
      'graph/a.ts',
      "import '../store/rows.js';\n",
      'graph may not import store',
    ],
    ['a module that nobody knows', 'utils/a.ts', "import '../errors.js';\n", 'has no place'],
    [
      'the driver in a worker',
      'worker/a.ts',
      "import type pg from 'pg';\n",
      'worker knows no database',
    ],
    ['the driver in the graph', 'graph/a.ts', "import pg from 'pg';\n", 'graph knows no database'],
    [
      'the driver, not its types, where one waits',
      'wait/a.ts',
      "import pg from 'pg';\n",
      'wait knows no database',
    ],
    [
      'SQL in a template',
      'worker/a.ts',
      'const a = `\n`;\nconst b = `select 1`;\n',
      'worker/a.ts:3 holds SQL',
    ],
    ['SQL in a string', 'cli/a.ts', "const a = 'update task set a = 1';\n", 'holds SQL'],
    ['the environment', 'store/a.ts', 'const a = process.env.HOME;\n', 'reads the environment'],
    ['any as a type', 'store/a.ts', 'export let a: any;\n', 'says any'],
    ['any as an argument of a type', 'store/a.ts', 'export let a: Map<string, any>;\n', 'says any'],
    ['any in an assertion', 'store/a.ts', 'export const a = b as any;\n', 'says any'],
    ['a file of more than 400 lines', 'store/a.ts', '\n'.repeat(401), 'has 401 lines'],
    [
      'a file that imports itself',
      'store/a.ts',
      "import { a } from './a.js';\n",
      'circle: store/a.ts -> store/a.ts',
    ],
  ])('finds %s', (_, file, text, fault) => {
    expect(violations({ ...SOUND, [file]: text })).toEqual([expect.stringContaining(fault)]);
  });

  it('finds a circle through several files, also of types only', () => {
    const circle: Sources = {
      'store/a.ts': "import { b } from './b.js';\n",
      'store/b.ts': "import type { c } from './c.js';\n",
      'store/c.ts': "import { a } from './a.js';\n",
    };
    expect(violations({ ...SOUND, ...circle })).toEqual([
      'circle: store/a.ts -> store/b.ts -> store/c.ts -> store/a.ts',
    ]);
  });

  it('takes no offence at comments and at words that only look like it', () => {
    const text = [
      '// import pg from "pg"; select any',
      '/** `select 1`, process.env, a: any; */',
      "const message = 'Select one of: any, all';",
      'const anything = company;',
      "const help = 'update the schema';",
      '',
    ].join('\n');
    expect(violations({ ...SOUND, 'worker/a.ts': text.replace('Select', 'Choose') })).toEqual([]);
  });

  it('lets a file of 400 lines be', () => {
    expect(violations({ ...SOUND, 'store/a.ts': '\n'.repeat(400) })).toEqual([]);
  });
});
