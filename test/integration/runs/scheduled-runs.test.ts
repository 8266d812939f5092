import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  GraphActor,
  graph,
  InvalidValueError,
  openRun,
  ScheduleBusyError,
  type ScheduleInput,
  scheduledRun,
  scheduledRunId,
  startRun,
  type TaskStore,
  typed,
} from '../../../src/index.js';
import { actionPrefix } from '../../../src/run/names.js';
import { Faults, withFaults } from '../../../src/testing/index.js';
import { listedIds, rejection } from '../../support/factories.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2030, 0, 1);

function minute(count: number): Date {
  return new Date(START_MS + count * MINUTE_MS);
}

/** The task that fires at a minute. */
function fired(count: number): string {
  return `s/${minute(count).toISOString()}`;
}

/** A run that goes on until it is told to end. */
function waiting() {
  const g = graph<{ n: number }>('etl', { version: 2 });
  const ok = g.event('ok', { schema: typed<number>({ type: 'number' }) });
  const sum = g.task('sum', { after: { ok }, run: ({ input, deps }) => input.n + deps.ok });
  return g.outputs({ sum });
}

const etl = waiting();

async function put(store: TaskStore, more: Partial<ScheduleInput> = {}): Promise<void> {
  const task = await scheduledRun(etl, { n: 1 });
  await store.schedules.put({ name: 's', everyMs: MINUTE_MS, task, ...more } as ScheduleInput);
}

/** Fires at a minute and performs what can be performed; the ids fired. */
async function passMinute(store: TaskStore, count: number): Promise<readonly string[]> {
  await t.db.clock.set(minute(count));
  const report = await store.schedules.fireDue();
  await work(store);
  return report.fired;
}

function work(store: TaskStore) {
  return t.db.drain(store, new GraphActor(store, [etl]));
}

/** The run of a minute. */
function runOf(store: TaskStore, count: number) {
  return openRun(store, etl, scheduledRunId(fired(count)));
}

beforeEach(async () => {
  await t.db.clock.freeze();
  await t.db.clock.set(minute(0));
});

describe('a schedule of a graph', () => {
  it('starts a run, whose id follows from the due time, and says which', async () => {
    const store = t.db.namespace();
    await put(store);
    expect(await passMinute(store, 1)).toEqual([fired(1)]);
    const id = 'etl/s@2030-01-01T00:01:00.000Z';
    expect(await store.getTask(fired(1))).toMatchObject({
      statusCode: 'completed',
      result: { run: id },
    });
    const run = runOf(store, 1);
    expect(run.id).toBe(id);
    expect(await run.signal('ok', 41)).toBe(true);
    await work(store);
    expect(await run.result()).toEqual({ sum: 42 });
  });

  it('does not overlap a run, though the task that started it has long ended', async () => {
    const store = t.db.namespace();
    await put(store);
    await passMinute(store, 1);
    expect(await passMinute(store, 2)).toEqual([]);
    expect(await passMinute(store, 3)).toEqual([]);
    const busy = await rejection(store.schedules.runNow('s'));
    expect(busy).toBeInstanceOf(ScheduleBusyError);
    expect(busy).toMatchObject({ schedule: 's', taskId: fired(1) });
    await runOf(store, 1).signal('ok', 1);
    await work(store);
    expect(await passMinute(store, 4)).toEqual([fired(4)]);
    expect(await store.schedules.get('s')).toMatchObject({ numFired: 2, numSkipped: 2 });
  });

  it('overlaps when it may', async () => {
    const store = t.db.namespace();
    await put(store, { mayOverlap: true });
    expect(await passMinute(store, 1)).toEqual([fired(1)]);
    expect(await passMinute(store, 2)).toEqual([fired(2)]);
    const statuses = await Promise.all([1, 2].map((n) => runOf(store, n).status()));
    expect(statuses).toMatchObject([{ statusCode: 'pending' }, { statusCode: 'pending' }]);
  });

  it('makes up for due times one run after another', async () => {
    const store = t.db.namespace();
    await put(store, { catchUp: 'all' });
    expect(await passMinute(store, 3)).toEqual([fired(1)]);
    expect(await passMinute(store, 3)).toEqual([]);
    await runOf(store, 1).signal('ok', 1);
    await work(store);
    expect(await passMinute(store, 3)).toEqual([fired(2)]);
  });

  it.each([
    ['cancelled', (store: TaskStore) => runOf(store, 1).cancel()],
    ['deleted', (store: TaskStore) => runOf(store, 1).delete()],
  ])('goes on after a run that was %s', async (_, end) => {
    const store = t.db.namespace();
    await put(store);
    await passMinute(store, 1);
    await end(store);
    expect(await passMinute(store, 2)).toEqual([fired(2)]);
  });

  it('goes on after a run that failed, and waits for one that is rerun', async () => {
    const store = t.db.namespace();
    let isBroken = true;
    const g = graph('brittle');
    const a = g.task('a', {
      maxTries: 1,
      run: () => {
        if (isBroken) throw new Error('broken');
        return 1;
      },
    });
    const definition = g.outputs({ a });
    const actor = new GraphActor(store, [definition]);
    const task = await scheduledRun(definition);
    await store.schedules.put({ name: 's', everyMs: MINUTE_MS, task });
    await t.db.clock.set(minute(1));
    await store.schedules.fireDue();
    await t.db.drain(store, actor);
    const run = openRun(store, definition, scheduledRunId(fired(1)));
    expect(await run.status()).toMatchObject({ statusCode: 'aborted' });
    await run.rerun({ from: 'failed' });
    await t.db.clock.set(minute(2));
    expect((await store.schedules.fireDue()).fired).toEqual([]);
    isBroken = false;
    await t.db.drain(store, actor);
    expect(await run.result()).toEqual({ a: 1 });
    await t.db.clock.set(minute(3));
    expect((await store.schedules.fireDue()).fired).toEqual([fired(3)]);
  });

  it('starts one run for a due time, however many schedulers and workers there are', async () => {
    const store = t.db.namespace();
    const other = (await t.db.connect()).withPrefix('shared');
    const one = t.db.namespace('shared');
    await Promise.all([put(one, { mayOverlap: true }), put(other, { mayOverlap: true })]);
    for (const count of [1, 2, 3]) {
      await t.db.clock.set(minute(count));
      await Promise.all([one, other, one, other].map((each) => each.schedules.fireDue()));
    }
    await t.db.drain(one, new GraphActor(one, [etl]), { workers: 8 });
    const runs = (await listedIds(one, { actions: [`${actionPrefix(etl)}~run`] })).sort();
    expect(runs).toEqual([1, 2, 3].map((n) => runOf(store, n).id));
  });

  it('starts no second run, whatever becomes of the return of the task that starts it', async () => {
    const store = t.db.namespace();
    await put(store);
    await t.db.clock.set(minute(1));
    await store.schedules.fireDue();
    const faults = new Faults().failNext('returnTasks', undefined, { when: 'after' });
    const faulty = withFaults(store, faults);
    await t.db.drain(faulty, new GraphActor(faulty, [etl]));
    await store.rerunTasks([fired(1)]);
    await work(store);
    expect(await store.getTask(fired(1))).toMatchObject({
      statusCode: 'completed',
      result: { run: runOf(store, 1).id },
    });
    expect(await listedIds(store, { actions: [`${actionPrefix(etl)}~run`] })).toEqual([
      runOf(store, 1).id,
    ]);
  });

  it('leaves a run alone that has the id already, and says so', async () => {
    const store = t.db.namespace();
    await put(store);
    await startRun(store, etl, { n: 1 }, { runId: scheduledRunId(fired(1)) });
    await passMinute(store, 1);
    const { statusCode, status } = await store.waitFor(fired(1));
    expect(statusCode).toBe('aborted');
    expect(status).toContain('exists, and was not started by this task');
  });

  it('hands priority and queue on to the run', async () => {
    const store = t.db.namespace();
    const task = await scheduledRun(etl, { n: 1 }, { priority: 7, queue: 'slow' });
    await put(store, { task });
    await t.db.clock.set(minute(1));
    await store.schedules.fireDue();
    await t.db.drain(store, new GraphActor(store, [etl]), { queues: ['slow'] });
    expect(await store.getTask(`${runOf(store, 1).id}/sum`)).toMatchObject({
      priority: 7,
      queue: 'slow',
    });
  });
});

describe('the input of a scheduled run', () => {
  const strict = () => {
    const day = z.string().default(() => new Date(START_MS).toISOString());
    const g = graph('strict', { input: z.object({ n: z.number(), day }) });
    return g.outputs({ a: g.task('a', { run: ({ input }) => input }) });
  };

  it('that does not fit is refused before it is scheduled', async () => {
    // @ts-expect-error: n is a number
    const error = await rejection(scheduledRun(strict(), { n: 'one' }));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(error).toMatchObject({ errors: [{ path: '/n' }] });
  });

  it('is that of a run that is started by hand', async () => {
    const store = t.db.namespace();
    const definition = strict();
    const actor = new GraphActor(store, [definition]);
    const task = await scheduledRun(definition, { n: 1 });
    expect(task.body).toEqual({ input: { n: 1 } });
    await store.schedules.put({ name: 's', everyMs: MINUTE_MS, task });
    const id = scheduledRunId(await store.schedules.runNow('s'));
    const byHand = await startRun(store, definition, { n: 1 });
    await t.db.drain(store, actor);
    expect(await openRun(store, definition, id).result()).toEqual(await byHand.result());
  });

  it('is validated again at the due time: a worker with another schema refuses it', async () => {
    const store = t.db.namespace();
    const loose = graph('strict');
    const task = await scheduledRun(loose.outputs({ a: loose.task('a', { run: () => 1 }) }));
    await store.schedules.put({ name: 's', everyMs: MINUTE_MS, task });
    const firedId = await store.schedules.runNow('s');
    await t.db.drain(store, new GraphActor(store, [strict()]));
    const { statusCode, status } = await store.waitFor(firedId);
    expect(statusCode).toBe('aborted');
    expect(status).toContain('input of graph "strict"');
  });
});

describe('the id of a scheduled run', () => {
  it('is short enough, whatever the name of the schedule', () => {
    const long = scheduledRunId(`${'x'.repeat(300)}/2030-01-01T00:01:00.000Z`);
    expect(long).toMatch(/^[0-9a-f]{32}$/);
    expect(scheduledRunId('a/b/now-1')).toBe('a@b@now-1');
  });

  it('is another for each schedule', () => {
    const names = ['a/b', 'a@b', 'a@@b', 'a/@b', 'a@/b', 'a//b', 'a', '@a'];
    const ids = names.map((name) => scheduledRunId(`${name}/now-1`));
    expect(new Set(ids).size).toBe(names.length);
  });
});
