import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  InvalidOptionError,
  SchemaVersionError,
  TaskNotFoundError,
  WaitCancelledError,
} from '../../../src/errors.js';
import { WaiterHub } from '../../../src/wait/waiter-hub.js';
import { outcomeOf } from './fake-tasks.js';
import { hubUnderTest, listeningHub, settle } from './hub-under-test.js';

const range = (length: number): string[] => Array.from({ length }, (_, i) => `t${i}`);

describe('asking', () => {
  it('begins when LISTEN is active, not before', async () => {
    const { hub, tasks, listener } = hubUnderTest();
    tasks.add('a');
    const waiter = hub.newWaiter('a');
    await settle();
    expect(listener.numStarts).toBe(1);
    expect(tasks.calls).toEqual([]);
    listener.connect();
    await waiter;
    expect(tasks.calls).toEqual([['a']]);
    expect([...tasks.channels]).toEqual([hub.channel]);
  });

  it('begins without LISTEN when the first attempt to listen has failed', async () => {
    const { hub, tasks, listener } = hubUnderTest();
    tasks.end('a');
    const waited = hub.waitFor(['a']);
    listener.lose();
    expect(await waited).toEqual([outcomeOf('a')]);
  });

  it('takes two calls for 2,000 waiters of one tick', async () => {
    const { hub, tasks } = await listeningHub();
    tasks.add(...range(2000));
    await Promise.all(range(2000).map((id) => hub.newWaiter(id)));
    expect(tasks.calls.map((ids) => ids.length)).toEqual([1000, 1000]);
    expect(tasks.mostCallsAtOnce).toBe(1);
  });

  it('takes one call for all notifications that come during a call', async () => {
    const { hub, tasks, listener } = await listeningHub();
    tasks.add('a', 'b', 'c');
    const waited = hub.waitFor(['a', 'b', 'c']);
    const release = tasks.holdAnswers();
    await settle();
    for (const id of ['a', 'b', 'c']) {
      tasks.end(id);
      listener.notify([id]);
    }
    release();
    expect(await waited).toEqual(['a', 'b', 'c'].map((id) => outcomeOf(id)));
    expect(tasks.calls).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    expect(tasks.mostCallsAtOnce).toBe(1);
  });

  it('repeats a busy task until it is not, without asking for the others again', async () => {
    const { hub, tasks } = await listeningHub();
    tasks.add('a');
    tasks.lock('b');
    const free = hub.newWaiter('a');
    const locked = hub.newWaiter('b');
    await free;
    await vi.waitFor(() => expect(tasks.calls.length).toBeGreaterThan(3));
    tasks.end('b');
    expect(await (await locked).wait()).toEqual(outcomeOf('b'));
    expect(tasks.calls.slice(1).flat()).not.toContain('a');
  });

  it('does not answer a newcomer with what was looked up before it came', async () => {
    const { hub, tasks } = await listeningHub();
    tasks.end('a', 'first run');
    const release = tasks.holdAnswers();
    const early = hub.waitFor(['a']);
    await settle();
    tasks.end('a', 'second run');
    const late = hub.waitFor(['a']);
    release();
    expect(await early).toEqual([outcomeOf('a', 'first run')]);
    expect(await late).toEqual([outcomeOf('a', 'second run')]);
  });

  it('never sends an id that Postgres cannot hold', async () => {
    const { hub, tasks } = await listeningHub();
    tasks.add('a');
    const [bad, good] = await Promise.allSettled([hub.newWaiter('b\0'), hub.newWaiter('a')]);
    expect(bad).toMatchObject({ reason: new TaskNotFoundError(['b\0']) });
    expect(good.status).toBe('fulfilled');
    expect(tasks.calls).toEqual([['a']]);
  });
});

describe('a notification', () => {
  it('of an end leads to its outcome, however often it comes', async () => {
    const { hub, tasks, listener } = await listeningHub();
    tasks.add('a');
    const waiter = await hub.newWaiter('a');
    tasks.end('a');
    listener.notify(['a']);
    listener.notify(['a']);
    expect(await waiter.wait()).toEqual(outcomeOf('a'));
    listener.notify(['a']);
    await settle();
    expect(tasks.calls).toEqual([['a'], ['a']]);
  });

  it('of tasks that nobody awaits asks for nothing', async () => {
    const { hub, tasks, listener } = await listeningHub();
    tasks.add('a');
    await hub.newWaiter('a');
    listener.notify(['x', 'y']);
    await settle();
    expect(tasks.calls).toEqual([['a']]);
  });

  it.each(['[]', '', '{"some":"newer message"}', '[1,2]', 'not JSON'])(
    'that reads %j asks for everything awaited',
    async (payload) => {
      const { hub, tasks, listener } = await listeningHub();
      tasks.add('a', 'b');
      const waited = hub.waitFor(['a', 'b']);
      await settle();
      tasks.end('a');
      tasks.end('b');
      listener.notify(payload);
      expect(await waited).toEqual([outcomeOf('a'), outcomeOf('b')]);
    },
  );

  it('of a deletion ends the wait with TaskNotFoundError', async () => {
    const { hub, tasks, listener } = await listeningHub();
    tasks.add('a');
    const waiter = await hub.newWaiter('a');
    tasks.delete('a');
    listener.notify(['a']);
    await expect(waiter.wait()).rejects.toThrow(new TaskNotFoundError(['a']));
  });
});

describe('a fault', () => {
  it('of the connection loses no end: everything awaited is asked again once it is back', async () => {
    const { hub, tasks, listener } = await listeningHub();
    tasks.add('a', 'b');
    const waited = hub.waitFor(['a', 'b']);
    await settle();
    listener.lose();
    tasks.end('a');
    tasks.end('b');
    listener.connect();
    expect(await waited).toEqual([outcomeOf('a'), outcomeOf('b')]);
  });

  it('that swallows a notification is made good by the poll', async () => {
    const { hub, tasks } = await listeningHub({ pollIntervalMs: 5 });
    tasks.add('a');
    const waiter = await hub.newWaiter('a');
    tasks.end('a');
    expect(await waiter.wait()).toEqual(outcomeOf('a'));
  });

  it('of LISTEN for good leaves polling once a second, however often listening is tried', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { hub, tasks, listener } = await listeningHub();
    tasks.add('a');
    const waiter = await hub.newWaiter('a');
    listener.lose();
    tasks.end('a');
    for (let attempt = 0; attempt < 10; attempt += 1) {
      vi.advanceTimersByTime(100);
      listener.lose();
    }
    expect(await waiter.wait()).toEqual(outcomeOf('a'));
  });

  it('of the database delays a wait, begun before or during it, and is logged once', async () => {
    const { hub, tasks, listener, logged } = await listeningHub();
    tasks.add('a', 'b');
    const before = await hub.newWaiter('a');
    tasks.failure = Object.assign(new Error('shutting down'), { code: '57P01' });
    listener.notify(['a']);
    const during = hub.newWaiter('b');
    await vi.waitFor(() => expect(tasks.calls.length).toBeGreaterThan(4));
    tasks.end('a');
    tasks.end('b');
    tasks.failure = null;
    expect(await before.wait()).toEqual(outcomeOf('a'));
    expect(await (await during).wait()).toEqual(outcomeOf('b'));
    expect(logged).toEqual([
      'warn: Asking for awaited tasks failed; it is repeated',
      'info: Awaited tasks can be asked for again',
    ]);
  });

  it.each([
    ['an SQLSTATE', Object.assign(new Error('no such function'), { code: '42883' })],
    ['a SignalboxError', new SchemaVersionError('signalbox', 0, 1)],
  ])('that will not pass, %s, is thrown at those without any answer only', async (_, failure) => {
    const { hub, tasks, listener } = await listeningHub();
    tasks.add('a', 'b');
    const before = await hub.newWaiter('a');
    tasks.failure = failure;
    listener.notify(['a']);
    await expect(hub.newWaiter('b')).rejects.toBe(failure);
    await expect(hub.waitFor(['a', 'b'])).rejects.toBe(failure);
    tasks.failure = null;
    tasks.end('a');
    expect(await before.wait()).toEqual(outcomeOf('a'));
  });
});

describe('start and stop', () => {
  it('connect and close once, whoever calls them how often', async () => {
    const { hub, tasks, listener } = hubUnderTest();
    tasks.add('a');
    const all = [hub.start(), hub.start(), hub.newWaiter('a')];
    listener.connect();
    await Promise.all(all);
    await Promise.all([hub.stop(), hub.stop(), hub[Symbol.asyncDispose]()]);
    await hub.start();
    expect([listener.numStarts, listener.numStops]).toEqual([1, 1]);
  });

  it('without a wait connect to nothing', async () => {
    const { hub, listener } = hubUnderTest();
    expect(await hub.waitFor([])).toEqual([]);
    await hub.stop();
    expect(listener.numStarts).toBe(0);
  });

  it('reject what waits, and what comes later, with WaitCancelledError', async () => {
    const { hub, tasks } = await listeningHub();
    tasks.add('a', 'b');
    const waiter = await hub.newWaiter('a');
    const waits = [waiter.wait(), hub.waitFor(['a', 'b']), hub.newWaiter('c')];
    const rejected = Promise.all(
      waits.map((wait) => expect(wait).rejects.toBeInstanceOf(WaitCancelledError)),
    );
    await hub.stop();
    await rejected;
    await expect(hub.newWaiter('a')).rejects.toBeInstanceOf(WaitCancelledError);
    await expect(hub.waitFor(['a'])).rejects.toMatchObject({ ids: ['a'] });
  });

  it('drop the answer of a call in flight', async () => {
    const { hub, tasks } = await listeningHub();
    tasks.end('a');
    const release = tasks.holdAnswers();
    const wait = expect(hub.waitFor(['a'])).rejects.toBeInstanceOf(WaitCancelledError);
    await settle();
    await hub.stop();
    release();
    await wait;
    await settle();
    expect(tasks.calls).toEqual([['a']]);
  });
});

it('a hub refuses an interval that would make it poll without rest', () => {
  const watch = async () => [];
  for (const pollIntervalMs of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new WaiterHub({ listenConfig: '', watch, pollIntervalMs })).toThrow(
      InvalidOptionError,
    );
  }
});

it('a channel is a name of its own that fits 63 bytes', () => {
  const names = range(100).map(() => hubUnderTest().hub.channel);
  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(name).toMatch(/^signalbox_[\w-]{22}$/);
});
