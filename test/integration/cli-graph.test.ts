import { describe, expect, test } from 'vitest';
import { listRuns, type StatusCode } from '../../src/index.js';
import { errorOf, useCli } from '../support/cli-under-test.js';

const cli = useCli();

/** In TypeScript that Node alone does not strip, in two files, which import each other as they would when compiled. */
function writeEtl(): string {
  cli.writeModule(
    'colours.ts',
    `export enum Colour { Red = 10 }
     export const isLoaded: boolean = true;`,
  );
  return cli.writeModule(
    'etl.ts',
    `import { graph, typed } from 'signalbox';
     import { Colour } from './colours.js';

     const g = graph('etl', {
       version: 2,
       input: typed<{ rows: number; bad?: number }>({
         type: 'object',
         properties: { rows: { type: 'integer' } },
         required: ['rows'],
       }),
     });
     const rows = g.task('rows', {
       run: ({ input }) => Array.from({ length: input.rows }, (_, i): number => i),
     });
     const each = g.map('each', {
       over: rows,
       retries: 0,
       run: ({ item, input }) => {
         if (item === input.bad) throw new Error('item ' + item + ' is bad');
         return item * Colour.Red;
       },
     });
     const load = g.task('load', { after: { each }, run: async ({ deps }) => (await deps.each.all()).length });
     export default g.outputs({ load, each });
     export const file = import.meta.url;`,
  );
}

/** Of node \`a\` the first try never ends. */
function writeHanging(name: string): string {
  return cli.writeModule(
    `${name}.ts`,
    `import { graph } from 'signalbox';
     const g = graph('${name}');
     const before = g.task('before', { run: () => 1 });
     const a = g.task('a', {
       after: { before },
       run: ({ attempt, deps }) => (attempt === 1 ? new Promise<number>(() => {}) : deps.before + attempt),
     });
     export const hanging = g.outputs({ a });`,
  );
}

async function runIds(graph: string): Promise<string[]> {
  return (await listRuns(cli.box, { graph })).map(({ id }) => id);
}

async function stateOf(id: string): Promise<StatusCode | undefined> {
  return (await cli.box.getTask(id))?.statusCode;
}

const lines = (text: string) => text.trim().split('\n');

describe('run of a graph', () => {
  test('performs a TypeScript module and prints the outputs, collections read', async () => {
    const { exitCode, stdout, stderr } = await cli.run('run', writeEtl(), '--input', '{"rows":3}');
    expect(JSON.parse(stdout)).toEqual({ load: 3, each: [0, 10, 20] });
    expect(stderr).toMatch(/Run etl\/\w+ completed after/);
    expect(exitCode).toBe(0);
  });

  test('with --json, prints one document, and what collections were cut', async () => {
    const input = cli.writeJson('input.json', { rows: 1_002 });
    const { stdout } = await cli.run('run', writeEtl(), '--input', `@${input}`, '--json');
    const [line = '', ...more] = lines(stdout);
    expect(more).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({
      run: expect.stringMatching(/^etl\//),
      state: 'new',
      statusCode: 'completed',
      result: { load: 1_002 },
      cut: [{ path: '/each', shown: 1_000, total: 1_002 }],
    });
  });

  test('reads its input from standard input', async () => {
    const { exitCode, stderr } = await cli.run('run', writeEtl(), '--input', '-', '--json');
    // Which is empty here.
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('not JSON (standard input)')]);
  });

  test.each([
    ['does not fit', '{"rows":"many"}', 'INVALID_VALUE', '/rows must be integer'],
    ['is not there', undefined, 'INVALID_VALUE', 'does not fit its schema'],
    ['is no JSON', '{rows', 'USAGE', 'The input is not JSON'],
    ['is in no file', '@none.json', 'USAGE', 'none.json cannot be read'],
  ])('inserts nothing where the input %s', async (_, input, code, message) => {
    const given = input === undefined ? [] : ['--input', input];
    const args = ['run', writeEtl(), ...given, '--run-id', 'refused', '--json'];
    const refused = await cli.run(...args);
    expect([refused.exitCode, errorOf(refused).code]).toEqual([2, code]);
    expect(errorOf(refused).message).toContain(message);
    expect(await stateOf('etl/refused')).toBeUndefined();
  });

  test('ends with 1, and names what failed and what was skipped for that', async () => {
    const args = ['run', writeEtl(), '--input', '{"rows":3,"bad":1}', '--run-id', 'bad'];
    const { exitCode, stdout, stderr } = await cli.run(...args);
    expect(stdout).toMatch(/aborted {2}each {2}1 of 3 items failed.*item 1 is bad/);
    expect(stdout).toMatch(/skipped {2}load {2}skipped since "each" failed/);
    expect(stderr).toContain('signalbox runs rerun etl/bad');
    expect(exitCode).toBe(1);
    const again = await cli.run(...args, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      state: 'ended',
      statusCode: 'aborted',
      failures: [{ node: 'each' }],
      skipped: [{ node: 'load' }],
    });
    expect(again.exitCode).toBe(1);
  });

  test('with --watch and no terminal, tells each event in a line', async () => {
    const args = ['run', writeEtl(), '--input', '{"rows":2}', '--watch'];
    const people = await cli.run(...args);
    expect(people.stderr).toMatch(/^started {4}rows$/m);
    expect(people.stderr).toMatch(/^completed {2}each$/m);
    const programs = await cli.run(...args, '--json');
    const events = lines(programs.stderr).flatMap((line) => JSON.parse(line).event ?? []);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'ended', node: 'load', statusCode: 'completed' }),
    );
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', statusCode: 'completed' });
    expect(JSON.parse(programs.stdout)).toMatchObject({ result: { load: 2 } });
  });

  test('of the same id and input goes on, and refuses another input', async () => {
    const run = (input: string, ...args: string[]) =>
      cli.run('run', writeEtl(), '--input', input, '--run-id', 'same', '--json', ...args);
    expect(JSON.parse((await run('{"rows":1}')).stdout)).toMatchObject({ state: 'new' });
    expect(JSON.parse((await run('{"rows":1}')).stdout)).toMatchObject({
      state: 'ended',
      result: { load: 1 },
    });
    const refused = await run('{"rows":2}');
    expect([refused.exitCode, errorOf(refused).code]).toEqual([2, 'RUN_INPUT_MISMATCH']);
    const fresh = await run('{"rows":2}', '--fresh');
    expect(JSON.parse(fresh.stdout)).toMatchObject({ state: 'new', result: { load: 2 } });
  });

  test('interrupted, hands back and says how to go on', async () => {
    const file = writeHanging('interrupted');
    const first = cli.start('run', file, '--run-id', '1', '--drain', '1ms', '--watch');
    await first.stderrLine(/^started {4}a$/);
    first.signal('SIGINT');
    const { exitCode, stderr } = await first.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain(
      `interrupted with 1 of 2 tasks done. Go on with: signalbox run ${file} --run-id 1`,
    );
    expect(await stateOf('interrupted/1/a')).toBe('pending');
  });

  test('killed, goes on when started again, without the input too', async () => {
    const file = writeHanging('killed');
    const args = ['run', file, '--run-id', '1', '--json'];
    const killed = cli.start(...args, '--max-duration', '500ms', '--watch');
    await killed.stderrLine(/"started","node":"a"/);
    killed.signal('SIGKILL');
    await killed.ended;
    const { exitCode, stdout } = await cli.run(...args);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'resumed', result: { a: 3 } });
    expect(exitCode).toBe(0);
    expect(await cli.box.getTask('killed/1/before')).toMatchObject({ numTries: 1 });
  });

  test('refuses to go on with a run of another shape', async () => {
    const shape = (node: string) =>
      cli.writeModule(
        'shape.ts',
        `import { graph } from 'signalbox';
         const g = graph('shape');
         export default g.outputs({ a: g.task('${node}', { run: () => 1 }) });`,
      );
    await cli.run('run', shape('a'), '--run-id', '1');
    const refused = await cli.run('run', shape('b'), '--run-id', '1', '--json');
    expect([refused.exitCode, errorOf(refused).message]).toEqual([
      2,
      expect.stringContaining('--fresh'),
    ]);
  });

  test('ends with 4 when the time is up', async () => {
    const args = ['--timeout', '300ms', '--drain', '1ms', '--json', '--watch'];
    const run = await cli.run('run', writeHanging('slow'), ...args);
    expect([run.exitCode, errorOf(run).code]).toEqual([4, 'WAIT_TIMEOUT']);
  });

  test('of a module with several graphs wants one named, and lists them', async () => {
    const file = cli.writeModule(
      'several.ts',
      `import { graph } from 'signalbox';
       const make = (name: string) => {
         const g = graph(name);
         return g.outputs({ a: g.task('a', { run: () => name }) });
       };
       export const graphs = [make('first'), make('second')];`,
    );
    const refused = await cli.run('run', file, '--json');
    expect([refused.exitCode, errorOf(refused).message]).toEqual([
      2,
      expect.stringMatching(/first@1, second@1.*--graph/),
    ]);
    const unknown = await cli.run('run', file, '--graph', 'third', '--json');
    expect(errorOf(unknown).message).toContain('first@1, second@1');
    const { stdout } = await cli.run('run', file, '--graph', 'second');
    expect(JSON.parse(stdout)).toEqual({ a: 'second' });
  });

  test('performs actions that nodes name with the handlers of a module, and refuses to without', async () => {
    const file = cli.writeModule(
      'mail.mts',
      `import { graph, typed } from 'signalbox';
       const g = graph<string>('mail');
       const mail = g.task('mail', { action: 'send-mail', output: typed<string>() });
       export default g.outputs({ mail });`,
    );
    const handlers = cli.writeModule(
      'handlers.ts',
      `import { isLoaded } from './colours.js';
       const sendMail = ({ input }: { input: string }) => 'sent to ' + input + isLoaded;
       export { sendMail as 'send-mail' };`,
    );
    writeEtl();
    const refused = await cli.run('run', file, '--input', '"you"', '--json');
    expect([refused.exitCode, errorOf(refused).message]).toEqual([
      2,
      expect.stringMatching(/"send-mail" of node "mail".*--handlers/),
    ]);
    expect(await runIds('mail')).toEqual([]);
    const { stdout } = await cli.run('run', file, '--input', '"you"', '--handlers', handlers);
    expect(JSON.parse(stdout)).toEqual({ mail: 'sent to youtrue' });
  });

  test('with --detach only inserts the run, and prints its id', async () => {
    const { stdout } = await cli.run('run', writeEtl(), '--input', '{"rows":1}', '--detach');
    const id = stdout.trim();
    expect(await runIds('etl')).toContain(id);
    expect(await stateOf(`${id}/rows`)).toBe('pending');
    await cli.run('run', writeEtl(), '--run-id', id);
    expect(await stateOf(id)).toBe('completed');
  });

  test('refuses options that are of tasks, and tasks those of graphs', async () => {
    const ofTasks = await cli.run('run', writeEtl(), '--exec', '--json');
    expect(errorOf(ofTasks).message).toContain('--exec means nothing to a graph');
    const ofGraphs = await cli.run('run', cli.writeJson('l.json', []), '--watch', '--json');
    expect(errorOf(ofGraphs).message).toContain('--watch means nothing to a list of tasks');
  });

  test('performs a graph of a JavaScript module, which needs no package of its own', async () => {
    const file = cli.writeModule(
      'plain.mjs',
      `import { graph, PermanentError } from 'signalbox';
       const g = graph('plain');
       const a = g.task('a', { run: () => { throw new PermanentError('for good'); } });
       export default g.outputs({ a });`,
    );
    const { stdout } = await cli.run('run', file, '--run-id', '1');
    expect(stdout).toContain('aborted  a  for good');
    // Had it been the error of another copy, it would have been tried again.
    expect(await cli.box.getTask('plain/1/a')).toMatchObject({ numTries: 1 });
  });

  test('says where a module that cannot be imported is at fault', async () => {
    const broken = cli.writeModule('broken.ts', `import 'nowhere-to-be-found';`);
    const refused = await cli.run('run', broken, '--json');
    expect([refused.exitCode, errorOf(refused).message]).toEqual([
      2,
      expect.stringMatching(/broken\.ts could not be imported: .*nowhere-to-be-found/s),
    ]);
  });
});

describe('tasks and actors in TypeScript', () => {
  test('are read from a module of tasks, and from one named with --actor', async () => {
    const actor = cli.writeModule(
      'actor.ts',
      `import { defineActor } from 'signalbox';
       export default defineActor('double', { double: ({ body }: { body: unknown }) => Number(body) * 2 });`,
    );
    const file = cli.writeModule(
      'typed-tasks.ts',
      `export const tasks: { id: string; action: string; body: number }[] = [{ id: 'a', action: 'double', body: 4 }];`,
    );
    const { stdout } = await cli.run('run', file, '--actor', actor, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ leaves: [{ id: 'a', result: 8 }] });
  });
});

describe('graph', () => {
  test('prints the drawing, plain and with the states of a run', async () => {
    const file = writeEtl();
    const plain = await cli.run('graph', file);
    expect(plain.stdout).toMatch(/^flowchart TD\n {2}n0\["rows"\]/);
    const dot = await cli.run('graph', file, '--dot');
    expect(dot.stdout).toMatch(/^digraph "etl"/);
    await cli.run('run', file, '--input', '{"rows":2,"bad":0}', '--run-id', 'drawn');
    const drawn = await cli.run('graph', file, '--run', 'drawn', '--json');
    expect(JSON.parse(drawn.stdout)).toMatchObject({
      graph: 'etl',
      version: 2,
      states: { rows: 'completed', each: 'aborted', load: 'skipped' },
      drawing: expect.stringContaining('class n1 aborted'),
    });
  });
});

describe('runs', () => {
  test('list gives the newest first, of a graph, by state, without their nodes', async () => {
    const file = writeHanging('listed');
    for (const id of ['1', '2', '3']) await cli.run('run', file, '--run-id', id, '--detach');
    await cli.run('runs', 'cancel', 'listed/2');
    const { stdout } = await cli.run('runs', 'list', '--graph', 'listed', '--json');
    const runs = lines(stdout).map((line) => JSON.parse(line));
    expect(runs.map(({ id }) => id)).toEqual(['listed/3', 'listed/2', 'listed/1']);
    const table = await cli.run('runs', 'list', '--status', 'cancelled', '--graph', 'listed');
    expect(lines(table.stdout)).toEqual([
      expect.stringMatching(/^RUN +VERSION +STATUS/),
      expect.stringMatching(/^listed\/2 +1 +cancelled/),
    ]);
    const one = await cli.run('runs', 'list', '--graph', 'listed', '--limit', '1', '--json');
    expect(lines(one.stdout)).toHaveLength(1);
  });

  test('show gives the nodes with and without the module', async () => {
    const file = writeEtl();
    await cli.run('run', file, '--input', '{"rows":4,"bad":2}', '--run-id', 'shown');
    const { stdout } = await cli.run('runs', 'show', 'etl/shown');
    expect(stdout).toMatch(/✗ each +aborted .* 4\/4 .*1 failed.*item 2 is bad/);
    const { stdout: json } = await cli.run('runs', 'show', 'etl/shown', file, '--json');
    expect(JSON.parse(json)).toMatchObject({
      id: 'etl/shown',
      statusCode: 'aborted',
      nodes: [
        { node: 'rows', statusCode: 'completed' },
        { node: 'each', kind: 'map', items: { completed: 3, aborted: 1 } },
        { node: 'load', statusCode: 'skipped' },
      ],
    });
    const unknown = await cli.run('runs', 'show', 'etl/none', '--json');
    expect([unknown.exitCode, errorOf(unknown).code]).toEqual([2, 'TASK_NOT_FOUND']);
  });

  test('cancel ends a run, without its module, and touches no task that is none', async () => {
    await cli.run('run', writeHanging('ended'), '--run-id', '1', '--detach');
    const { stdout } = await cli.run('runs', 'cancel', 'ended/1', '--reason', 'not wanted');
    expect(stdout).toBe('3 tasks cancelled.\n');
    const task = await cli.box.getTask('ended/1/a');
    expect(task).toMatchObject({ statusCode: 'cancelled', status: 'not wanted' });
    await cli.box.insertTasks([{ id: 'no-run', action: 'nothing' }]);
    expect((await cli.run('runs', 'cancel', 'no-run')).exitCode).toBe(2);
    expect(await stateOf('no-run')).toBe('pending');
  });

  test('rerun says what it would do, and does it', async () => {
    const file = cli.writeModule(
      'mended.ts',
      `import { existsSync } from 'node:fs';
       import { join } from 'node:path';
       import { graph } from 'signalbox';
       const g = graph('mended');
       const first = g.task('first', { run: () => 1 });
       const second = g.task('second', {
         after: { first },
         retries: 0,
         run: ({ deps }) => {
           if (!existsSync(join(import.meta.dirname, 'mended.json'))) throw new Error('not yet');
           return deps.first + 1;
         },
       });
       export default g.outputs({ second });`,
    );
    expect((await cli.run('run', file, '--run-id', '1')).exitCode).toBe(1);
    cli.writeJson('mended.json', {});
    const rerun = ['runs', 'rerun', 'mended/1', file, '--json'];
    const preview = await cli.run(...rerun, '--from', 'failed', '--preview');
    const plan = { run: 'mended/1', reruns: ['second'], keeps: ['first'] };
    expect(JSON.parse(preview.stdout)).toEqual({ ...plan, preview: true });
    expect(await stateOf('mended/1')).toBe('aborted');
    const done = await cli.run(...rerun, '--from', 'failed');
    expect(JSON.parse(done.stdout)).toEqual({ ...plan, preview: false });
    const { stdout } = await cli.run('run', file, '--run-id', '1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ state: 'resumed', result: { second: 2 } });
    const named = await cli.run(...rerun, '--from', 'first,second', '--preview');
    expect(JSON.parse(named.stdout)).toMatchObject({ reruns: ['first', 'second'], keeps: [] });
    const unknown = await cli.run(...rerun, '--from', 'third');
    expect([unknown.exitCode, errorOf(unknown).code]).toEqual([2, 'UNKNOWN_NODE']);
  });
});
