import { describe, expect, it } from 'vitest';
import { ConnectionLostFault, Faults, withFaults } from '../../../src/testing/index.js';
import { listedIds, own, ownOne, rejection, statuses, task } from '../../support/factories.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();

function faulty() {
  const faults = new Faults();
  const store = t.db.namespace();
  return { faults, store, failing: withFaults(store, faults) };
}

describe('a store with faults', () => {
  it('without any does what the store does', async () => {
    const { store, failing, faults } = faulty();
    await failing.insertTasks([task('a')]);
    expect(await listedIds(failing)).toEqual(['a']);
    expect((await failing.getTask('a'))?.statusCode).toBe('pending');
    expect(await listedIds(store)).toEqual(['a']);
    expect(faults.numCalls('insertTasks')).toBe(1);
    expect(faults.numCalls('ownTasks')).toBe(0);
  });

  it('fails the next calls, as often as said, before they are made', async () => {
    const { store, failing, faults } = faulty();
    faults
      .failNext('insertTasks', new Error('first'))
      .failNext('insertTasks', undefined, { times: 2 });
    const insert = () => failing.insertTasks([task('a')]);
    expect(await rejection(insert())).toMatchObject({ message: 'first' });
    for (let i = 0; i < 2; i++)
      expect(await rejection(insert())).toBeInstanceOf(ConnectionLostFault);
    expect(await listedIds(store)).toEqual([]);
    await insert();
    expect(faults.numCalls('insertTasks')).toBe(4);
  });

  it('can have a call carried out and its result lost', async () => {
    const { store, failing, faults } = faulty();
    await store.insertTasks([task('a')]);
    const { id, token } = await ownOne(store);
    faults.failNext('returnTasks', undefined, { when: 'after' });
    const returning = failing.returnTasks([{ id, token, statusCode: 'completed' }]);
    expect(await rejection(returning)).toBeInstanceOf(ConnectionLostFault);
    expect(await statuses(store)).toEqual({ a: 'completed' });
  });

  it('holds a call, or its result, until told', async () => {
    const { store, failing, faults } = faulty();
    let open = (): void => {};
    const until = new Promise<void>((resolve) => {
      open = resolve;
    });
    faults.holdNext('insertTasks', until).holdNext('getTask', until, { when: 'after' });
    const inserted = failing.insertTasks([task('a')]);
    const found = failing.getTask('a');
    expect(await listedIds(store)).toEqual([]);
    open();
    await inserted;
    expect(await found).toBeNull();
    expect(await listedIds(store)).toEqual(['a']);
  });

  it('loses its connection: calls in flight and later ones fail, waits do not', async () => {
    const { store, failing, faults } = faulty();
    await store.insertTasks([task('a')]);
    const outcome = failing.waitFor('a');
    faults.holdNext('getTask', new Promise(() => {}));
    const inFlight = rejection(failing.getTask('a'));
    faults.loseConnection();
    expect(await inFlight).toBeInstanceOf(ConnectionLostFault);
    expect(await rejection(own(failing))).toBeInstanceOf(ConnectionLostFault);
    expect(await rejection(listedIds(failing))).toBeInstanceOf(ConnectionLostFault);
    await store.cancelTasks(['a']);
    expect(await outcome).toMatchObject({ statusCode: 'cancelled' });
    faults.restoreConnection();
    expect(await listedIds(failing)).toEqual(['a']);
  });

  it('fails in the namespaces made of it as well, until cleared', async () => {
    const { failing, faults } = faulty();
    faults.failNext('insertTasks', undefined, { times: Number.POSITIVE_INFINITY });
    const inner = failing.withPrefix('inner');
    for (let i = 0; i < 3; i++) {
      expect(await rejection(inner.insertTasks([task('a')]))).toBeInstanceOf(ConnectionLostFault);
    }
    faults.clear();
    await inner.insertTasks([task('a')]);
    expect(await listedIds(failing)).toEqual(['inner.a']);
  });
});
