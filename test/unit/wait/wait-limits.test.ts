import { expect, it, onTestFinished, vi } from 'vitest';
import { listeningHub, settle } from './hub-under-test.js';

it('a wait that is over leaves no timer behind to keep the process alive', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { hub, tasks, listener } = await listeningHub();
  tasks.add('ending', 'deleted', 'cancelled');
  const waits = [hub.waitFor(['ending'], { timeoutMs: 60_000 })];
  waits.push(hub.waitFor(['deleted'], { timeoutMs: 60_000 }));
  const waiter = await hub.newWaiter('cancelled');
  const sleep = hub.nextReady({ timeoutMs: 60_000 });
  expect(vi.getTimerCount()).toBe(4); // three time-outs and the poll
  tasks.end('ending');
  tasks.delete('deleted');
  listener.notify(['ending', 'deleted']);
  listener.notify('ready');
  waiter.cancel();
  await Promise.allSettled([...waits, sleep]);
  await settle();
  expect(vi.getTimerCount()).toBe(0);
});
