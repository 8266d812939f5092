import { describe, expect, it } from 'vitest';
import { Pace, PREFETCH } from '../../../src/worker/pace.js';
import { Prefetch } from '../../../src/worker/prefetch.js';
import { jobOf, ownedTask } from './owned-task.js';

/** Five workers, and a clock that the test moves. */
function measuring(workers = 5) {
  let now = 1_000;
  const pace = new Pace(workers, () => now);
  return {
    pace,
    pass(ms: number) {
      now += ms;
    },
    begin() {
      const job = jobOf(ownedTask('t'));
      pace.began(job);
      return job;
    },
    /** Handlers one after another. */
    perform(count: number, ms: number) {
      for (let i = 0; i < count; i++) {
        const job = this.begin();
        now += ms;
        pace.ended(job);
      }
    },
  };
}

/** No action is limited. */
const ANY = Number.POSITIVE_INFINITY;

describe('the pace', () => {
  it('is unknown at first: nothing is owned ahead', () => {
    const { pace } = measuring();
    expect([pace.meanMs, pace.numWithin(100), pace.numPerWorker()]).toEqual([null, 0, 1]);
  });

  it('says how many begin within a time', () => {
    const m = measuring();
    m.perform(3, 10);
    expect([m.pace.meanMs, m.pace.numWithin(100), m.pace.numPerWorker()]).toEqual([10, 50, 10]);
  });

  it('follows handlers that become longer, and shorter', () => {
    const m = measuring();
    m.perform(100, 1);
    m.perform(200, 1_000);
    expect(m.pace.numWithin(100)).toBe(0);
    m.perform(500, 1);
    expect(m.pace.numWithin(100)).toBeGreaterThan(400);
  });

  it('leaves out workers whose handlers already take longer than the horizon', () => {
    const m = measuring();
    m.perform(50, 1);
    const jobs = [m.begin(), m.begin(), m.begin()];
    expect(m.pace.numWithin(100)).toBe(500);
    m.pass(PREFETCH.horizonMs + 1);
    expect(m.pace.numWithin(100)).toBe(200);
    m.begin();
    m.begin();
    m.pass(PREFETCH.horizonMs + 1);
    expect(m.pace.numWithin(100)).toBe(0);
    expect(jobs.length + 2).toBe(m.pace.numPerforming);
  });

  it('knows handlers that take no time at all', () => {
    const m = measuring();
    m.perform(10, 0);
    expect(m.pace.numWithin(100)).toBe(500_000);
  });

  it('is unknown again after a pause', () => {
    const m = measuring();
    m.perform(50, 1);
    m.pass(PREFETCH.staleMs + 1);
    expect([m.pace.numWithin(100), m.pace.meanMs]).toEqual([0, null]);
  });
});

describe('the prefetch', () => {
  const idle = { numWaiting: 0, numParked: 0, numPerforming: 0, numHeld: 0, numIdle: 5 };

  function prefetching(counts: Partial<typeof idle> = {}, durationMs?: number) {
    const m = measuring();
    if (durationMs !== undefined) m.perform(50, durationMs);
    const options = { workers: 5, channelSize: 1_000, maxTasks: 500, pace: m.pace };
    return new Prefetch({ ...options, counts: () => ({ ...idle, ...counts }) });
  }

  it('asks for what idle workers begin at once, all begun, while nothing is known', () => {
    const first = prefetching();
    expect(first.room(0)).toBe(5);
    expect(first.shares(5, 0, ANY)).toEqual({ tasksPerSlot: 1 });
    expect(first.shares(5, 0, 2)).toEqual({ tasksPerSlot: 1, numBegun: 2 });
    expect(first.room(5)).toBe(0);
    expect(prefetching({ numIdle: 2 }).room(0)).toBe(2);
  });

  it('asks for full batches of short tasks, and counts all of them as begun', () => {
    const short = prefetching({}, 0.05);
    expect(short.room(0)).toBe(1_005);
    expect(short.room(600)).toBe(0);
    expect(short.shares(500, 500, ANY)).toEqual({ tasksPerSlot: 500 });
  });

  it('asks for nothing ahead of long ones', () => {
    expect(prefetching({}, 1_000).room(0)).toBe(5);
    expect(prefetching({ numIdle: 0 }, 1_000).room(0)).toBe(0);
    expect(prefetching({ numIdle: 1 }, 1_000).room(0)).toBe(1);
  });

  it('counts as begun what will be within 20 ms', () => {
    const medium = prefetching({ numIdle: 0, numWaiting: 4 }, 10);
    expect(medium.room(0)).toBe(46);
    expect(medium.shares(46, 0, ANY)).toEqual({ tasksPerSlot: 10, numBegun: 6 });
    expect(medium.shares(46, 20, ANY)).toEqual({ tasksPerSlot: 10, numBegun: 0 });
  });

  it('asks anew when half of what may wait is left, not for each task', () => {
    expect(prefetching({ numIdle: 0, numWaiting: 30 }, 10).room(0)).toBe(0);
    expect(prefetching({ numIdle: 0, numWaiting: 25 }, 10).room(0)).toBe(25);
  });

  it('is not kept from asking by tasks that no worker can take, up to the size of the channel', () => {
    const parked = { numWaiting: 3, numParked: 3, numHeld: 5, numPerforming: 2, numIdle: 3 };
    expect(prefetching(parked).room(0)).toBe(3);
    const full = { numWaiting: 1_000, numParked: 1_000, numIdle: 0 };
    expect(prefetching(full, 0.05).room(0)).toBe(0);
  });

  it('asks for no more while the database takes returns slowly', () => {
    expect(prefetching({ numHeld: 2_100 }, 0.05).room(0)).toBe(0);
  });
});
