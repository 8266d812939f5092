import { expect, it } from 'vitest';
import { hubUnderTest, listeningHub } from './hub-under-test.js';

it('nextReady is asleep when it returns: a notification right after it is not missed', async () => {
  const { hub, listener } = await listeningHub();
  const sleeps = [hub.nextReady({ timeoutMs: 60_000 }), hub.nextReady({ timeoutMs: 60_000 })];
  listener.notify('ready');
  expect(await Promise.all(sleeps)).toEqual(['ready', 'ready']);
});

it('nextReady is not woken by a notification from before it', async () => {
  const { hub, listener } = await listeningHub();
  listener.notify('ready');
  expect(await hub.nextReady({ timeoutMs: 10 })).toBe('timeout');
});

it('nextReady is not woken by the end of a task', async () => {
  const { hub, listener } = await listeningHub();
  const sleep = hub.nextReady({ timeoutMs: 10 });
  listener.notify(['a']);
  expect(await sleep).toBe('timeout');
});

it('nextReady begins to listen, and wakes whenever LISTEN begins to work', async () => {
  const { hub, listener } = hubUnderTest();
  for (let time = 1; time <= 2; time += 1) {
    const sleep = hub.nextReady({ timeoutMs: 60_000 });
    listener.connect();
    expect(await sleep).toBe('ready');
    listener.lose();
  }
  expect(listener.numStarts).toBe(1);
});

it('nextReady ends when aborted, and at once when that was before', async () => {
  const { hub } = await listeningHub();
  const controller = new AbortController();
  const sleep = hub.nextReady({ timeoutMs: 60_000, signal: controller.signal });
  controller.abort();
  expect(await sleep).toBe('timeout');
  expect(await hub.nextReady({ timeoutMs: 60_000, signal: controller.signal })).toBe('timeout');
});

it('nextReady ends when the hub stops, and at once when that was before', async () => {
  const { hub } = await listeningHub();
  const sleep = hub.nextReady({ timeoutMs: 60_000 });
  await hub.stop();
  expect(await sleep).toBe('timeout');
  expect(await hub.nextReady({ timeoutMs: 60_000 })).toBe('timeout');
});
