import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  cp,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { locateNativeDir, prepareBinaries } from '../../src/embedded/binaries.js';
import { EmbeddedServerError, startEmbedded } from '../../src/embedded/index.js';
import { chooseTempFolder } from '../../src/embedded/owned-dir.js';
import { findPostmaster, postmasterFile } from '../../src/embedded/postmaster-file.js';
import { commandLine, ownTag } from '../../src/embedded/process-tag.js';
import { chooseRunAs, firstUnreachable, type RunAs } from '../../src/embedded/run-as.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IS_ROOT = process.geteuid?.() === 0;
/** Where servers and their users can both go; the OS temp folder may be closed to the server's user. */
const FOLDER = await chooseTempFolder(await chooseRunAs());
const STAY_ALIVE = 'setInterval(() => {}, 60_000);';
const run = promisify(execFile);

interface ScriptPlace {
  readonly root: string;
  readonly node: string;
  readonly user: RunAs | null;
}

const HERE: ScriptPlace = { root: ROOT, node: process.execPath, user: null };

/** Runs a module in a process of its own; `startEmbedded` and `spawnGuarded` are imported. Killed when the test ends. */
function runScript(body: string, { root, node, user }: ScriptPlace = HERE): ChildProcess {
  const url = (path: string) => JSON.stringify(pathToFileURL(join(root, path)).href);
  const source = `
    import { startEmbedded } from ${url('src/embedded/index.ts')};
    import { spawnGuarded } from ${url('src/embedded/death-guard.ts')};
    ${body}`;
  const tsx = createRequire(join(root, 'package.json')).resolve('tsx');
  const loader = ['--import', pathToFileURL(tsx).href];
  const script = spawn(node, [...loader, '--input-type=module', '-e', source], {
    cwd: '/',
    env: { ...process.env, TMPDIR: FOLDER },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
  });
  onTestFinished(() => void script.kill('SIGKILL'));
  return script;
}

async function firstLine(script: ChildProcess): Promise<string> {
  if (script.stdout === null) throw new Error('the script has no stdout');
  for await (const line of createInterface(script.stdout)) return line;
  throw new Error('the script ended without a word');
}

async function tempDir(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(FOLDER, 'signalbox-test-')));
  await chmod(dir, 0o755);
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows.flat();
  } finally {
    await client.end();
  }
}

async function postmasterPid(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(postmasterFile(dataDir), 'utf8'), 10);
}

async function untilGone(pid: number): Promise<void> {
  await vi.waitFor(async () => expect((await commandLine(pid)) ?? '').toBe(''), {
    timeout: 20_000,
    interval: 20,
  });
}

async function failureOf(attempt: Promise<unknown>): Promise<EmbeddedServerError> {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof EmbeddedServerError) return error;
  throw new Error(`expected an EmbeddedServerError, got ${error}`);
}

async function start(options?: Parameters<typeof startEmbedded>[0]) {
  const server = await startEmbedded(options);
  onTestFinished(() => server.stop());
  return server;
}

describe('a temporary server', () => {
  test('starts and answers', async () => {
    const server = await start();
    const answer = await query(
      server.connectionString,
      'select current_user, current_setting($$server_version$$)',
    );
    expect(answer).toEqual(['postgres', expect.stringMatching(/^18\./)]);
  });

  test('is gone with its directory after stop(), which is safe twice', async () => {
    const server = await start();
    const pid = await postmasterPid(server.dataDir);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    await untilGone(pid);
    expect(existsSync(dirname(server.dataDir))).toBe(false);
  });

  test('lies in a directory that other users cannot enter, and is not on TCP', async () => {
    const server = await start();
    const { mode } = await lstat(dirname(server.dataDir));
    expect(mode & 0o077).toBe(0);
    const addresses = await query(server.connectionString, 'show listen_addresses');
    expect(addresses).toEqual(['']);
  });

  test('listens on TCP if a port is given, and names the cause if that is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const error = await failureOf(startEmbedded({ port }));
    expect(error.message).toContain('Address already in use');
    squatter.close();
    await once(squatter, 'close');
    const server = await start({ port });
    expect(new URL(server.connectionString).host).toBe(`127.0.0.1:${port}`);
    expect(await query(server.connectionString, 'select 1')).toEqual([1]);
  });

  test('takes settings over the defaults', async () => {
    const server = await start({ settings: { max_connections: 33, fsync: true } });
    const settings = `select current_setting('max_connections'), current_setting('fsync'), current_setting('full_page_writes')`;
    expect(await query(server.connectionString, settings)).toEqual(['33', 'on', 'off']);
  });

  test('does not keep its process from ending, and leaves nothing behind', async () => {
    const script = runScript('const server = await startEmbedded(); console.log(server.dataDir);');
    const ended = once(script, 'exit');
    const dataDir = await firstLine(script);
    expect(await ended).toEqual([0, null]);
    expect(existsSync(dirname(dataDir))).toBe(false);
  });

  test('ends when its process is killed, and the next start removes what is left', async () => {
    const script = runScript(
      `const server = await startEmbedded(); console.log(server.dataDir); ${STAY_ALIVE}`,
    );
    const dataDir = await firstLine(script);
    const pid = await postmasterPid(dataDir);
    const living = await start();
    script.kill('SIGKILL');
    await untilGone(pid);
    await start();
    expect(existsSync(dirname(dataDir))).toBe(false);
    expect(await query(living.connectionString, 'select 1')).toEqual([1]);
  });
});

describe('a persistent server', () => {
  test('keeps its data over stop and start', async () => {
    const dataDir = join(await tempDir(), 'not', 'yet', 'there');
    const first = await start({ dataDir });
    await query(first.connectionString, 'create table kept as select 7 as number');
    await first.stop();
    const second = await start({ dataDir });
    expect(await query(second.connectionString, 'select number from kept')).toEqual([7]);
  });

  test('is adopted by a second start, whose stop() leaves it running', async () => {
    const dataDir = join(await tempDir(), 'data');
    const owner = runScript(
      `await startEmbedded({ dataDir: ${JSON.stringify(dataDir)} }); console.log('up'); ${STAY_ALIVE}`,
    );
    await firstLine(owner);
    const pid = await postmasterPid(dataDir);
    const adopted = await start({ dataDir });
    await adopted.stop();
    expect(await query(adopted.connectionString, 'select 1')).toEqual([1]);
    expect(await postmasterPid(dataDir)).toBe(pid);
  });

  test('is one server for two processes that create it at the same time', async () => {
    const dataDir = join(await tempDir(), 'data');
    const body = `
      const { connectionString } = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)} });
      console.log(connectionString); ${STAY_ALIVE}`;
    const [one, other] = await Promise.all([
      firstLine(runScript(body)),
      firstLine(runScript(body)),
    ]);
    expect(one).toBe(other);
    expect(await readdir(dirname(dataDir))).toEqual(['data', 'data.log']);
  });

  test('recovers when the server was killed and its postmaster.pid is stale', async () => {
    const dataDir = join(await tempDir(), 'data');
    const first = await start({ dataDir });
    await query(first.connectionString, 'create table kept as select 7 as number');
    process.kill(await postmasterPid(dataDir), 'SIGKILL');
    const second = await start({ dataDir });
    expect(await query(second.connectionString, 'select number from kept')).toEqual([7]);
  });

  test('starts although the pid in a stale postmaster.pid now belongs to another process', async () => {
    const dataDir = join(await tempDir(), 'data');
    const first = await start({ dataDir });
    const lines = (await readFile(postmasterFile(dataDir), 'utf8')).split('\n');
    await first.stop();
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
    onTestFinished(() => void bystander.kill());
    await writeFile(postmasterFile(dataDir), [bystander.pid, ...lines.slice(1)].join('\n'));
    const second = await start({ dataDir });
    expect(await query(second.connectionString, 'select 1')).toEqual([1]);
    expect(bystander.exitCode).toBeNull();
  });

  test('replaces a server that outlived the process that started it', async () => {
    const dataDir = join(await tempDir(), 'data');
    await (await start({ dataDir })).stop();
    const orphan = await startOrphan(dataDir);
    const server = await start({ dataDir });
    expect(await postmasterPid(dataDir)).not.toBe(orphan.pid);
    expect(orphan.exitCode).toBe(0);
    expect(await query(server.connectionString, 'select 1')).toEqual([1]);
  });

  test('is refused in a directory that holds something else', async () => {
    const dataDir = await tempDir();
    await writeFile(join(dataDir, 'thesis.txt'), '');
    const error = await failureOf(startEmbedded({ dataDir }));
    expect(error.reason).toBe('data-directory');
    expect(error.message).toContain('thesis.txt');
  });
});

/** A server as `startEmbedded` runs it, but with a dead process for an owner and no death guard. */
async function startOrphan(dataDir: string): Promise<ChildProcess> {
  const runAs = await chooseRunAs(dataDir);
  const [namespace] = (await ownTag()).split('-');
  const deadPid = spawnSync('true').pid;
  const { postgres } = await prepareBinaries({
    nativeDir: locateNativeDir(),
    runAs,
    cacheFolder: FOLDER,
  });
  const settings = ['listen_addresses=', `unix_socket_directories=${dataDir}`];
  const flags = [...settings, `signalbox.owner=${namespace}-${deadPid}-1`].flatMap((s) => [
    '-c',
    s,
  ]);
  const orphan = spawn(postgres, ['-D', dataDir, ...flags], {
    cwd: '/',
    stdio: 'ignore',
    ...(runAs === null ? {} : { uid: runAs.uid, gid: runAs.gid }),
  });
  onTestFinished(() => void orphan.kill('SIGQUIT'));
  await vi.waitFor(async () => expect(await findPostmaster(dataDir)).not.toBeNull(), 20_000);
  return orphan;
}

describe('the death guard', () => {
  test('of machines without setpriv interrupts its charge when we are killed', async () => {
    const script = runScript(`
      const sleep = { file: '/bin/sleep', args: ['600'], runAs: null, stdio: 'ignore' };
      const child = await spawnGuarded({ kind: 'watchdog' }, sleep);
      console.log(child.pid); ${STAY_ALIVE}`);
    const pid = Number(await firstLine(script));
    expect(await commandLine(pid)).toContain('sleep');
    script.kill('SIGKILL');
    await untilGone(pid);
  });
});

describe('a start that fails', () => {
  test('names the cause and leaves nothing behind', async () => {
    const mark = `${await ownTag()}-`;
    const error = await failureOf(startEmbedded({ settings: { max_connections: 'many' } }));
    expect(error.reason).toBe('start-failed');
    expect(error.message).toContain('invalid value for parameter "max_connections": "many"');
    expect((await readdir(FOLDER)).filter((name) => name.includes(mark))).toEqual([]);
  });

  test('says so when the server does not answer in time', async () => {
    const error = await failureOf(startEmbedded({ startTimeoutMs: 1 }));
    expect(error.reason).toBe('start-timeout');
  });

  test('is refused at once for a setting that the launcher makes itself', async () => {
    const attempt = startEmbedded({ settings: { unix_socket_directories: '/' } });
    await expect(attempt).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe.runIf(IS_ROOT)('run by an ordinary user', () => {
  /** The checkout and the node of this run, or copies of them where that user may not read them. */
  async function placeFor(user: RunAs): Promise<ScriptPlace> {
    const place = { root: ROOT, node: process.execPath, user };
    if ((await firstUnreachable(ROOT, user)) !== null) {
      place.root = await tempDir();
      for (const part of ['package.json', 'tsconfig.json', 'src', 'node_modules']) {
        await cp(join(ROOT, part), join(place.root, part), {
          recursive: true,
          verbatimSymlinks: true,
        });
      }
      await run('chmod', ['-R', 'a+rX', place.root]);
    }
    if ((await firstUnreachable(process.execPath, user)) !== null) {
      place.node = join(await tempDir(), 'node');
      await cp(process.execPath, place.node);
      await chmod(place.node, 0o755);
    }
    return place;
  }

  test('a server starts, answers, and ends when that process is killed', async () => {
    const nobody = { uid: 65_534, gid: 65_534, name: 'nobody' };
    const script = runScript(
      `const server = await startEmbedded();
       console.log(server.dataDir, server.connectionString); ${STAY_ALIVE}`,
      await placeFor(nobody),
    );
    const [dataDir = '', connectionString = ''] = (await firstLine(script)).split(' ');
    onTestFinished(() => rm(dirname(dataDir), { recursive: true, maxRetries: 5 }));
    const pid = await postmasterPid(dataDir);
    expect(await query(connectionString, 'select 1')).toEqual([1]);
    expect((await lstat(dataDir)).uid).toBe(nobody.uid);
    script.kill('SIGKILL');
    await untilGone(pid);
  });
});
