import { expect, it } from 'vitest';
import { Crew, type CrewOptions } from '../../../src/pool/crew.js';
import { turn } from './virtual-clock.js';

interface Work {
  readonly name: string;
}

/** A crew with a source that tests add to. Jobs are performed until the test ends them, unless told otherwise. */
function crewUnderTest(options: Partial<CrewOptions<Work>> = {}) {
  const source: Work[] = [];
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const faults: unknown[] = [];
  const crew = new Crew<Work>({
    workers: 2,
    take: () => source.shift(),
    perform: (job) => {
      begun.push(job.name);
      return new Promise((resolve) => ends.push(resolve));
    },
    onFault: (thrown, job) => faults.push([thrown, job?.name]),
    ...options,
  });
  const add = (...names: string[]): void => {
    source.push(...names.map((name) => ({ name })));
    crew.wake(names.length);
  };
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await turn();
  };
  return { crew, source, begun, faults, add, endOne };
}

it('performs as many jobs at once as it has workers', async () => {
  const { crew, begun, add, endOne } = crewUnderTest();
  add('a', 'b', 'c');
  await turn();
  expect(begun).toEqual(['a', 'b']);
  expect(crew).toMatchObject({ numActive: 2, numIdle: 0 });
  await endOne();
  expect(begun).toEqual(['a', 'b', 'c']);
  await endOne();
  await endOne();
  expect(crew).toMatchObject({ numActive: 0, numIdle: 2 });
});

it('wakes no more workers than there are jobs', async () => {
  const { crew, add, endOne } = crewUnderTest({ workers: 10 });
  add('a');
  expect(crew.numActive).toBe(1);
  await turn();
  expect(crew.numActive).toBe(1);
  await endOne();
});

it('loses no wake-up that comes while a worker goes idle', async () => {
  const done: string[] = [];
  let next: Work | undefined = { name: 'first' };
  // The source tells of a job in the microtasks right after it had none: p-limit still counts the worker as busy then.
  const crew: Crew<Work> = new Crew<Work>({
    workers: 1,
    take: () => {
      const job = next;
      next = undefined;
      if (!job && done.length < 20) {
        queueMicrotask(() => {
          next = { name: `job ${done.length}` };
          crew.wake(1);
        });
      }
      return job;
    },
    perform: async (job) => void done.push(job.name),
    onFault: () => {},
  });
  crew.wake(1);
  await turn();
  expect(done).toHaveLength(20);
});

it('idle resolves when the last worker has nothing left, at once when none works', async () => {
  const { crew, add, endOne } = crewUnderTest();
  await crew.idle();
  add('a', 'b', 'c');
  let isIdle = false;
  const idle = Promise.all([crew.idle(), crew.idle()]).then(() => {
    isIdle = true;
  });
  for (let i = 0; i < 3; i++) {
    await turn();
    expect(isIdle).toBe(false);
    await endOne();
  }
  await idle;
});

it.each([
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
])('a perform that %s is reported, and its worker goes on', async (_, perform) => {
  const ended: string[] = [];
  const { crew, faults, add } = crewUnderTest({
    workers: 1,
    perform,
    ended: ({ name }) => ended.push(name),
  });
  add('a', 'b');
  await crew.idle();
  expect(faults).toEqual([
    [new Error('broken'), 'a'],
    [new Error('broken'), 'b'],
  ]);
  expect(ended).toEqual(['a', 'b']);
});

it('a report that throws kills no worker either', async () => {
  let numPerformed = 0;
  const { crew, add } = crewUnderTest({
    workers: 1,
    perform: () => {
      numPerformed++;
      throw new Error('broken');
    },
    onFault: () => {
      throw new Error('no log');
    },
  });
  add('a', 'b');
  await crew.idle();
  expect(numPerformed).toBe(2);
  expect(crew.numIdle).toBe(1);
});

it('a source that throws idles its worker until the next wake-up', async () => {
  let isBroken = true;
  const source: Work[] = [{ name: 'a' }];
  const { crew, begun, faults, endOne } = crewUnderTest({
    take: () => {
      if (isBroken) throw new Error('broken source');
      return source.shift();
    },
  });
  crew.wake(1);
  await crew.idle();
  expect(faults).toEqual([[new Error('broken source'), undefined]]);
  isBroken = false;
  crew.wake(1);
  await turn();
  expect(begun).toEqual(['a']);
  await endOne();
});
