import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { settleEmbedded } from '../../../src/cli/global-options.js';

const thisFile = fileURLToPath(import.meta.url);
const settle = (...argv: string[]) => settleEmbedded(argv, ['run', 'list']);

test('--embedded takes the argument after it as its directory', () => {
  expect(settle('list', '--embedded', 'data')).toEqual(['list', '--embedded=data']);
  expect(settle('--embedded=data', 'list')).toEqual(['--embedded=data', 'list']);
});

test('--embedded leaves options, commands and files alone', () => {
  expect(settle('--embedded', 'run', 'x')).toEqual(['--embedded=', 'run', 'x']);
  expect(settle('list', '--embedded', '--json')).toEqual(['list', '--embedded=', '--json']);
  expect(settle('run', '--embedded', thisFile)).toEqual(['run', '--embedded=', thisFile]);
  expect(settle('list', '--embedded')).toEqual(['list', '--embedded=']);
});

test('what comes after -- is no option', () => {
  expect(settle('run', '--', '--embedded', 'x')).toEqual(['run', '--', '--embedded', 'x']);
});
