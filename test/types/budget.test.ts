import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LargeShape, largeGraph } from './large-graph.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** 229 for a chain and 246 mixed, when this was written. */
const MAX_INSTANTIATIONS_PER_NODE = 300;
/**
 * Seconds say little on a machine that is busy: even CPU time doubles. So 1,000 nodes are weighed against the library
 * itself, without any, whose compiling takes about half a second on a quiet machine: three times that is 1.5 seconds.
 * Measured under a load of 18 on two cores: 1.5 to 1.8 times for a chain, 1.9 to 2.5 mixed.
 */
const MAX_TIMES_LIBRARY = 3;
/** One run within the budget shows that it is kept. */
const MAX_TIMED_RUNS = 5;

interface Cost {
  readonly instantiations: number;
  /** CPU time of all its threads, in user mode: how long others keep it waiting does not count. */
  readonly cpuSeconds: number;
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-types-'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      rootDir: '/',
      noEmit: true,
      composite: false,
      tsBuildInfoFile: null,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    files: ['graph.ts'],
    include: [],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says that it costs to check a graph of so many nodes, the library included. */
async function costOf(size: number, shape: LargeShape): Promise<Cost> {
  const source = largeGraph(size, shape, join(ROOT, 'src/index.js'));
  await writeFile(join(folder, 'graph.ts'), source);
  const compile = [
    process.execPath,
    TSC,
    '-p',
    folder,
    '--extendedDiagnostics',
    '--singleThreaded',
  ];
  // The shell's `times` tells what its children used.
  const { stdout } = await promisify(execFile)('sh', ['-c', '"$@" && times', 'sh', ...compile]);
  const [, instantiations] = /^Instantiations:\s+(\d+)/m.exec(stdout) ?? [];
  const ofChildren = stdout.trimEnd().split('\n').at(-1) ?? '';
  const [, minutes, seconds] = /^(\d+)m([\d.]+)s/.exec(ofChildren) ?? [];
  return {
    instantiations: Number(instantiations),
    cpuSeconds: 60 * Number(minutes) + Number(seconds),
  };
}

/** How many times the library's CPU time 1,000 nodes take besides: the best of some runs, no more than are needed. */
async function timesLibrary(shape: LargeShape): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < MAX_TIMED_RUNS && best >= MAX_TIMES_LIBRARY; run++) {
    const { cpuSeconds: empty } = await costOf(0, shape);
    const { cpuSeconds: full } = await costOf(1000, shape);
    best = Math.min(best, full / empty - 1);
  }
  return best;
}

describe.each(['chain', 'mixed'] as const)('a %s of many nodes', (shape) => {
  it('costs the compiler the same for each further node: 250, 500, 1,000', async () => {
    const { instantiations: empty } = await costOf(0, shape);
    const { instantiations: at250 } = await costOf(250, shape);
    const { instantiations: at500 } = await costOf(500, shape);
    const { instantiations: at1000 } = await costOf(1000, shape);
    expect((at1000 - empty) / 1000).toBeLessThan(MAX_INSTANTIATIONS_PER_NODE);
    const [early, late] = [(at500 - at250) / 250, (at1000 - at500) / 500];
    expect(late / early).toBeGreaterThan(0.95);
    expect(late / early).toBeLessThan(1.05);
  });

  it('takes no more than three times as long as the library without any, if they are 1,000', async () => {
    expect(await timesLibrary(shape)).toBeLessThan(MAX_TIMES_LIBRARY);
  });
});
