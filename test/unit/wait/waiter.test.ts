import { expect, it, onTestFinished } from 'vitest';
import { TaskNotFoundError, WaitCancelledError } from '../../../src/errors.js';
import { outcomeOf } from './fake-tasks.js';
import { listeningHub, settle } from './hub-under-test.js';

it('newWaiter resolves for a task that has ended, and wait() with its outcome', async () => {
  const { hub, tasks } = await listeningHub();
  tasks.end('a');
  const waiter = await hub.newWaiter('a');
  expect(waiter.id).toBe('a');
  expect(await waiter.wait()).toEqual(outcomeOf('a'));
});

it('newWaiter rejects with TaskNotFoundError for a task that does not exist', async () => {
  const { hub } = await listeningHub();
  await expect(hub.newWaiter('a')).rejects.toThrow(new TaskNotFoundError(['a']));
});

it('wait() may be called many times and by many, before the end and after', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.add('a');
  const waiter = await hub.newWaiter('a');
  const waits = [waiter.wait(), waiter.wait(), (await hub.newWaiter('a')).wait()];
  tasks.end('a');
  listener.notify(['a']);
  await Promise.all(waits);
  waits.push(waiter.wait());
  for (const wait of waits) expect(await wait).toEqual(outcomeOf('a'));
});

it('an outcome is kept by its waiter: the hub asks no more, and stopping it takes nothing away', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.end('a');
  const waiter = await hub.newWaiter('a');
  tasks.delete('a');
  listener.notify('[]');
  await settle();
  await hub.stop();
  expect(await waiter.wait()).toEqual(outcomeOf('a'));
  expect(tasks.calls).toEqual([['a']]);
});

it('cancel() rejects the waits of that waiter, present and future, and of no other', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.add('a');
  const [cancelled, other] = await Promise.all([hub.newWaiter('a'), hub.newWaiter('a')]);
  const wait = expect(cancelled.wait()).rejects.toThrow(new WaitCancelledError(['a']));
  cancelled.cancel();
  cancelled.cancel();
  await wait;
  await expect(cancelled.wait()).rejects.toThrow(new WaitCancelledError(['a']));
  tasks.end('a');
  listener.notify(['a']);
  expect(await other.wait()).toEqual(outcomeOf('a'));
});

it('cancel() rejects future waits even when the task has ended', async () => {
  const { hub, tasks } = await listeningHub();
  tasks.end('a');
  const waiter = await hub.newWaiter('a');
  waiter.cancel();
  await expect(waiter.wait()).rejects.toBeInstanceOf(WaitCancelledError);
});

it('a cancelled waiter is forgotten by the hub', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.add('a');
  (await hub.newWaiter('a')).cancel();
  listener.notify('[]');
  listener.notify(['a']);
  await settle();
  expect(tasks.calls).toEqual([['a']]);
});

it('a waiter that nobody waits on rejects into nothing', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const { hub, tasks, listener } = await listeningHub();
  tasks.add('cancelled', 'deleted', 'stopped');
  const waiters = await Promise.all(
    ['cancelled', 'deleted', 'stopped'].map((id) => hub.newWaiter(id)),
  );
  waiters[0]?.cancel();
  tasks.delete('deleted');
  listener.notify(['deleted']);
  await settle();
  await hub.stop();
  await settle();
  expect(unhandled).toEqual([]);
});
