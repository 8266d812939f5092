import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rejection } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

function worker(actorId = 'me') {
  return { id: randomUUID(), actorId, queues: ['default', 'far'], actions: ['work'] };
}

describe('workers', () => {
  it('are listed with what they perform, once they have announced themselves', async () => {
    const store = t.namespace();
    const one = worker();
    await store.announceWorker(one, 60_000);
    const [listed, ...others] = await store.listWorkers();
    expect(others).toEqual([]);
    expect(listed).toEqual({ ...one, startedAt: expect.any(Date), aliveUntil: expect.any(Date) });
    const aliveMs = Number(listed?.aliveUntil) - Number(listed?.startedAt);
    expect(Math.round(aliveMs)).toBe(60_000);
  });

  it('are gone once they retire, or are silent for too long', async () => {
    const store = t.namespace();
    const [one, other] = [worker('one'), worker('other')];
    await store.announceWorker(one, 60_000);
    await store.announceWorker(other, 60_000);
    await store.retireWorker(one.id);
    expect(await store.listWorkers()).toMatchObject([{ actorId: 'other' }]);
    await t.pool.query('update worker set alive_until = now()');
    expect(await store.listWorkers()).toEqual([]);
  });

  it('of other namespaces are not listed, and the box lists all', async () => {
    const [one, other] = [t.namespace(), t.namespace()];
    await one.announceWorker(worker(), 60_000);
    await other.announceWorker(worker(), 60_000);
    expect(await one.listWorkers()).toHaveLength(1);
    expect((await t.box.listWorkers()).length).toBeGreaterThanOrEqual(2);
  });

  it('need a UUID and a time', async () => {
    const wrongId = t.box.announceWorker({ ...worker(), id: 'me' }, 60_000);
    expect(await rejection(wrongId)).toMatchObject({ code: 'INVALID_OPTION', option: 'id' });
    expect(await rejection(t.box.announceWorker(worker(), 0))).toMatchObject({ option: 'forMs' });
    expect(await rejection(t.box.retireWorker('me'))).toMatchObject({ option: 'id' });
  });
});
