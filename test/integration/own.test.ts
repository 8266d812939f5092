import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/index.js';
import { own, ownOne, range, rejection, sortedIds, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('owning (parade 1 and 2)', () => {
  it('gives two actors different tasks of the actions that they ask for, and no others', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('000', { action: 'never' }),
      task('111', { action: 'frob' }),
      task('123', { action: 'broz' }),
      task('222', { action: 'broz' }),
    ]);
    const request = { actions: ['frob', 'broz'], maxTasks: 2 };

    const first = await own(store, { ...request, actorId: 'first' });
    const second = await own(store, { ...request, actorId: 'second' });

    expect(first).toHaveLength(2);
    expect(second).toHaveLength(1);
    expect(sortedIds([...first, ...second])).toEqual(['111', '123', '222']);
    const [tokens, others] = [first, second].map((tasks) => tasks.map(({ token }) => token));
    expect(tokens).not.toContain(others?.[0]);
  });

  it('gives back the body that was inserted, as the same JSON, and null where there was none', async () => {
    const store = t.namespace();
    const body = { text: 'ö "quoted" \\ 🙂', list: [1, 2.5, null, true], nested: { a: {} } };
    await store.insertTasks([task('with', { body }), task('without')]);

    const bodies = new Map((await own(store)).map((owned) => [owned.id, owned.body]));

    expect(bodies.get('with')).toEqual(body);
    expect(bodies.get('without')).toBeNull();
  });

  it.each([[0], [false], [''], [[]], [{}], ['null']])(
    'keeps the body %j as it is',
    async (body) => {
      const store = t.namespace();
      await store.insertTasks([task('a', { body })]);
      expect((await ownOne(store)).body).toStrictEqual(body);
    },
  );

  // Rows of a claim leave out what is usual in it: the first lane, the duration asked for, a first try at priority 0.
  it('tells tasks of one claim apart in all that may differ, those as usual and those not', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('usual'),
      task('second lane', { action: 'other', queue: 'far' }),
      task('unlike', { priority: -3, maxTries: 4, maxDurationMs: 60_000 }),
      task('again', { totalDependencies: 1 }),
    ]);
    await store.signalTasks(['again'], { failed: true });
    const lanes = { actions: ['work', 'other'], queues: ['default', 'far'], maxDurationMs: 5_000 };
    for (const { id, token } of await own(store, { ...lanes, maxTasks: 9 })) {
      const startAfter = id === 'again' ? {} : { startAfter: new Date(0) };
      await store.returnTask(id, token, { statusCode: 'pending', ...startAfter });
    }

    const owned = await own(store, { ...lanes, maxTasks: 9 });

    const usual = { action: 'work', queue: 'default', priority: 0, maxTries: null, numTries: 1 };
    const rest = { numSignalledFailures: 0, maxDurationMs: 5_000, isBegun: true, slots: null };
    expect(Object.fromEntries(owned.map((one) => [one.id, one]))).toMatchObject({
      usual: { ...usual, ...rest },
      'second lane': { ...usual, ...rest, action: 'other', queue: 'far' },
      unlike: { ...usual, ...rest, priority: -3, maxTries: 4, maxDurationMs: 60_000 },
      again: { ...usual, ...rest, numTries: 2, numSignalledFailures: 1 },
    });
    const deadlines = owned.map(({ id, deadline }) => [id, Number(deadline)] as const);
    const { usual: short = 0, unlike: long = 0 } = Object.fromEntries(deadlines);
    expect(long - short).toBeCloseTo(55_000, 3);
  });

  it('tells the owner the rest that it has to know', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { priority: 7, maxTries: 3, maxDurationMs: 60_000 })]);
    const before = Date.now();
    const owned = await ownOne(store, { maxDurationMs: 5_000 });
    expect(owned).toMatchObject({
      id: 'a',
      action: 'work',
      queue: 'default',
      priority: 7,
      numSignalledFailures: 0,
      numTries: 1,
      maxTries: 3,
      maxDurationMs: 60_000,
    });
    expect(owned.deadline?.getTime()).toBeGreaterThanOrEqual(before + 60_000 - 1_000);
    expect(await store.getTask('a')).toMatchObject({
      statusCode: 'in-progress',
      actorId: 'me',
      deadline: owned.deadline,
      finishedAt: null,
    });
  });
});

describe('the order of owning', () => {
  it('is that of insertion within a lane', async () => {
    const store = t.namespace();
    const ids = range(100).map((i) => `t${99 - i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    const inOrder = [];
    for (let i = 0; i < 10; i++) {
      inOrder.push(...(await own(store, { maxTasks: 10 })).map(({ id }) => id));
    }
    expect(inOrder).toEqual(ids);
  });

  it('puts the higher priority first, whatever the lane', async () => {
    const store = t.namespace();
    await store.insertTasks(
      range(30).map((i) =>
        task(`t${i}`, { action: i % 2 ? 'odd' : 'even', priority: [-5, 0, 32_767][i % 3] ?? 0 }),
      ),
    );
    const priorities = [];
    for (let i = 0; i < 6; i++) {
      const owned = await own(store, { actions: ['odd', 'even'], maxTasks: 5 });
      priorities.push(...owned.map(({ priority }) => priority));
    }
    expect(priorities).toEqual([
      ...Array(10).fill(32_767),
      ...Array(10).fill(0),
      ...Array(10).fill(-5),
    ]);
  });

  it('takes no lower priority while another lane has more of a higher one', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('high0', { action: 'few', priority: 1 }),
      ...range(50).map((i) => task(`high${i + 1}`, { action: 'many', priority: 1 })),
      ...range(50).map((i) => task(`low${i}`, { action: 'many', priority: 0 })),
    ]);
    const owned = await own(store, { actions: ['few', 'many'], maxTasks: 20 });
    expect(owned).toHaveLength(20);
    expect(owned.filter(({ priority }) => priority === 0)).toEqual([]);
  });
});

describe('fairness between lanes', () => {
  it('gives lanes of one priority equal shares', async () => {
    const store = t.namespace();
    const actions = ['a', 'b', 'c'];
    await store.insertTasks(
      actions.flatMap((action) => range(100).map((i) => task(`${action}${i}`, { action }))),
    );
    const owned = await own(store, { actions, maxTasks: 30 });
    const counts = actions.map((action) => owned.filter((one) => one.action === action).length);
    expect(counts).toEqual([10, 10, 10]);
  });

  it('gives what some lanes leave of their share to the others', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a0', { action: 'a' }),
      task('b0', { action: 'b' }),
      ...range(100).map((i) => task(`c${i}`, { action: 'c' })),
    ]);
    expect(await own(store, { actions: ['a', 'b', 'c'], maxTasks: 60 })).toHaveLength(60);
  });

  it.each([[1], [2], [7]])(
    'lets no flood in one action starve another when %d are owned at a time',
    async (maxTasks) => {
      const store = t.namespace();
      const actions = ['flood', 'b', 'c', 'd'];
      await store.insertTasks([
        ...range(1000).map((i) => task(`flood${i}`, { action: 'flood' })),
        ...['b', 'c', 'd'].map((action) => task(`${action}0`, { action })),
      ]);
      const seen = new Set<string>();
      let owned = 0;
      while (seen.size < actions.length && owned < 500) {
        for (const one of await own(store, { actions, maxTasks })) {
          seen.add(one.action);
          owned += 1;
        }
      }
      expect([...seen].sort()).toEqual([...actions].sort());
    },
  );

  it('lets no queue starve another, and gives nothing from queues not asked for', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(500).map((i) => task(`bulk${i}`, { queue: 'bulk' })),
      ...range(20).map((i) => task(`urgent${i}`, { queue: 'urgent' })),
      task('other', { queue: 'other' }),
    ]);
    const owned = await own(store, { queues: ['bulk', 'urgent'], maxTasks: 40 });
    expect(owned.filter(({ queue }) => queue === 'urgent')).toHaveLength(20);
    expect(owned.filter(({ queue }) => queue === 'bulk')).toHaveLength(20);
    expect(await own(store)).toEqual([]);
  });
});

describe('a request that cannot be granted', () => {
  it.each([
    ['actorId', { actorId: '' }],
    ['actions', { actions: [] }],
    ['queues', { queues: [] }],
    ['maxTasks', { maxTasks: 0 }],
    ['maxTasks', { maxTasks: 1.5 }],
    ['maxDurationMs', { maxDurationMs: 0 }],
    ['maxDurationMs', { maxDurationMs: Number.NaN }],
  ])('is refused naming %s: %j', async (option, request) => {
    const error = await rejection(own(t.namespace(), request));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(String(error)).toContain(option);
  });
});
