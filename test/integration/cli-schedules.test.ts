import { describe, expect, test } from 'vitest';
import type { ScheduleInput } from '../../src/index.js';
import { errorOf, useCli } from '../support/cli-under-test.js';

const cli = useCli();
/** So far away that none is due while the tests run. */
const FAR = new Date('2200-01-01T00:00:00Z');

function yearly(name: string, more: object = {}): ScheduleInput {
  return { name, everyMs: 365 * 86_400_000, from: FAR, task: { action: 'work' }, ...more };
}

describe('schedules', () => {
  test('list shows each with its next times; --json a line each', async () => {
    await cli.box.schedules.put(yearly('a'));
    const cron = { name: 'b', cron: '0 3 * * 1', timeZone: 'Europe/Berlin', from: FAR };
    await cli.box.schedules.put({ ...cron, task: { action: 'work' } });
    const table = await cli.run('schedules', 'list');
    expect(table.stdout).toMatch(/^NAME +WHEN +NEXT/);
    expect(table.stdout).toMatch(/b +0 3 \* \* 1 \(Europe\/Berlin\) +2200-01-06T02:00:00/);
    const { stdout, exitCode } = await cli.run('schedules', 'list', '--json');
    const [first] = stdout.split('\n').map((line) => line && JSON.parse(line));
    expect(first).toMatchObject({ name: 'a', nextDue: FAR.toISOString() });
    expect(first.nextTimes).toHaveLength(5);
    expect(exitCode).toBe(0);
  });

  test('show prints everything, and fails for one that is not there', async () => {
    await cli.box.schedules.put(yearly('shown', { catchUp: 'none' }));
    const { stdout } = await cli.run('schedules', 'show', 'shown', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'shown',
      task: { action: 'work' },
      catchUp: { policy: 'none', graceMs: 60_000 },
    });
    expect((await cli.run('schedules', 'show', 'shown')).stdout).toMatch(/nextDue +2200-01-01T/);
    const missing = await cli.run('schedules', 'show', 'nobody', '--json');
    expect(errorOf(missing)).toMatchObject({ code: 'SCHEDULE_NOT_FOUND', schedule: 'nobody' });
    expect(missing.exitCode).toBe(2);
  });

  test('pause, resume, run and remove do so, within a prefix if one is named', async () => {
    const { schedules } = cli.box.withPrefix('p');
    await schedules.put(yearly('steered'));
    const steer = (verb: string) =>
      cli.run('schedules', verb, 'steered', '--prefix', 'p', '--json');
    expect(JSON.parse((await steer('pause')).stdout)).toEqual({ paused: 'steered' });
    expect(await schedules.get('steered')).toMatchObject({ isPaused: true });
    expect(JSON.parse((await steer('resume')).stdout)).toEqual({
      resumed: 'steered',
      nextDue: FAR.toISOString(),
    });
    const { id } = JSON.parse((await steer('run')).stdout);
    expect(await cli.box.getTask(`p.${id}`)).toMatchObject({ action: 'p.work' });
    const again = await steer('run');
    expect([errorOf(again).code, again.exitCode]).toEqual(['SCHEDULE_BUSY', 1]);
    expect(JSON.parse((await steer('remove')).stdout)).toEqual({ removed: 'steered' });
    expect(await schedules.list()).toEqual([]);
    expect((await steer('remove')).exitCode).toBe(2);
  });

  test('without a verb or with an unknown one is wrong usage', async () => {
    expect((await cli.run('schedules')).exitCode).toBe(2);
    expect((await cli.run('schedules', 'dance')).exitCode).toBe(2);
  });
});

describe('worker', () => {
  const ACTOR = `export const actor = {
    id: 'tick', actions: ['tick'], handle: async () => ({ statusCode: 'completed' }),
  };`;

  test('fires schedules and performs their tasks', async () => {
    const module = cli.writeModule('tick.mjs', ACTOR);
    await cli.box.schedules.put({ name: 'tick', everyMs: 1_000, task: { action: 'tick' } });
    const worker = cli.start('worker', module, '--json');
    // The progress says when a task is done.
    await worker.stderrLine(/"done":[1-9]/);
    worker.signal('SIGINT');
    await worker.ended;
    expect(await cli.box.schedules.get('tick')).toMatchObject({
      lastTaskId: expect.stringMatching(/^tick\//),
    });
  });
});
