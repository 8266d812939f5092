import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { combineDigests, digestLeaf, type TreeNode, walkTree } from '../../../src/cli/merkle.js';
import { digestDirectly } from '../../../src/cli/merkle-check.js';

const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

/** A tree in a directory of its own: text is a file's content, `-> x` a link to x, null an empty directory. */
function makeTree(places: Record<string, string | null>): string {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-merkle-'));
  made.push(root);
  for (const [path, content] of Object.entries(places)) {
    const place = join(root, path);
    mkdirSync(content === null ? place : dirname(place), { recursive: true });
    if (content?.startsWith('-> ')) symlinkSync(content.slice(3), place);
    else if (content !== null) writeFileSync(place, content);
  }
  return root;
}

const SAMPLE = {
  'b.txt': 'b',
  'a/deep/file': 'content',
  'a/empty': null,
  'a/é': 'accent',
  'Z.bin': '\u0000\u0001',
  'link to nowhere': '-> missing/target',
  'link to directory': '-> a',
};

/** What the tasks compute, without tasks: nodes from below to above. */
async function digestTree(root: string): Promise<string> {
  const nodes: TreeNode[] = [];
  for await (const node of walkTree(root)) nodes.push(node);
  const digests = new Map<string, string>();
  for (const { path, kind, entries } of nodes.reverse()) {
    const digested = entries.map((entry) => ({
      ...entry,
      digest: digests.get(join(path, entry.name)) ?? '',
    }));
    const digest =
      kind === 'directory' ? combineDigests(digested) : await digestLeaf(join(root, path), kind);
    digests.set(path, digest);
  }
  return digests.get('.') ?? '';
}

test('the parts give the digest of the direct computation', async () => {
  const root = makeTree(SAMPLE);
  expect(await digestTree(root)).toBe(digestDirectly(root));
});

test('equal trees in different places have equal digests', async () => {
  expect(digestDirectly(makeTree(SAMPLE))).toBe(await digestTree(makeTree(SAMPLE)));
});

test.each<[string, Record<string, string | null>]>([
  ['a changed content', { ...SAMPLE, 'a/deep/file': 'Content' }],
  ['a changed target of a link', { ...SAMPLE, 'link to directory': '-> ./a' }],
  ['an empty directory more', { ...SAMPLE, 'a/empty too': null }],
  ['a file in the place of an empty directory', { ...SAMPLE, 'a/empty': '' }],
])('%s changes the digest of the root', async (_, places) => {
  expect(await digestTree(makeTree(places))).not.toBe(await digestTree(makeTree(SAMPLE)));
});

test('walkTree gives each place once, and does not follow links', async () => {
  const paths: string[] = [];
  for await (const { path, kind } of walkTree(makeTree(SAMPLE))) paths.push(`${kind} ${path}`);
  expect(paths.sort()).toEqual([
    'directory .',
    'directory a',
    'directory a/deep',
    'directory a/empty',
    'file Z.bin',
    'file a/deep/file',
    'file a/é',
    'file b.txt',
    'link link to directory',
    'link link to nowhere',
  ]);
});

test('combineDigests goes by the bytes of the names, whatever the order of the entries', () => {
  const digest = createHash('sha256').digest('hex');
  const names = ['\u{1f600}', '\uff5e', 'b', 'B'];
  const entries = names.map((name) => ({ name, kind: 'file', digest }) as const);
  expect(combineDigests(entries)).toBe(combineDigests(entries.toReversed()));
});

test('digestLeaf reads files of many pieces whole', async () => {
  const root = makeTree({});
  const content = Buffer.alloc(3 * 256 * 1024 + 17, 'signalbox');
  const file = join(root, 'large');
  writeFileSync(file, content);
  expect(await digestLeaf(file, 'file')).toBe(createHash('sha256').update(content).digest('hex'));
});

test.skipIf(process.getuid?.() === 0)('an unreadable file fails, naming it', async () => {
  const root = makeTree({ secret: 'x' });
  chmodSync(join(root, 'secret'), 0);
  await expect(digestLeaf(join(root, 'secret'), 'file')).rejects.toThrow(/EACCES.*secret/);
});

test('a file that is gone fails, naming it', async () => {
  await expect(digestLeaf(join(makeTree({}), 'gone'), 'file')).rejects.toThrow(/ENOENT.*gone/);
});
