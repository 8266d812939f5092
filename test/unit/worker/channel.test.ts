import { describe, expect, it } from 'vitest';
import type { OwnedTask } from '../../../src/store/task-store.js';
import { Channel } from '../../../src/worker/channel.js';
import type { Job } from '../../../src/worker/job.js';
import { jobOf, ownedTask } from './owned-task.js';

/** A channel with these jobs, which are then known by their ids. */
function channelOf(tasks: readonly OwnedTask[], limits: Record<string, number> = {}) {
  const channel = new Channel();
  for (const [action, limit] of Object.entries(limits)) channel.limitAction(action, limit);
  const taken = new Map<string, Job>();
  const jobs = tasks.map((task) => jobOf(task));
  for (const job of jobs) channel.put(job);
  return {
    channel,
    jobs,
    take() {
      const job = channel.take();
      if (job) taken.set(job.task.id, job);
      return job?.task.id;
    },
    takeAll() {
      const ids: string[] = [];
      for (let id = this.take(); id; id = this.take()) ids.push(id);
      return ids;
    },
    end(id: string) {
      const job = taken.get(id);
      if (!job) throw new Error(`${id} was not taken`);
      channel.ended(job);
    },
  };
}

function limited(id: string, count: number, version = 1, key = 'key'): OwnedTask {
  return ownedTask(id, { slots: { key, count, version } });
}

describe('a channel', () => {
  it('gives jobs in the order in which they came', () => {
    const c = channelOf(['a', 'b', 'c'].map((id) => ownedTask(id)));
    expect(c.channel.size).toBe(3);
    expect(c.takeAll()).toEqual(['a', 'b', 'c']);
    expect(c.channel.size).toBe(0);
  });

  it('passes over those whose action is performed as often as it may be', () => {
    const slow = { action: 'slow' };
    const tasks = [ownedTask('s1', slow), ownedTask('s2', slow), ownedTask('fast')];
    const c = channelOf(tasks, { slow: 1 });
    expect(c.takeAll()).toEqual(['s1', 'fast']);
    expect([c.channel.size, c.channel.numParked]).toEqual([1, 1]);
    expect(c.channel.numFree('slow')).toBe(0);
    c.end('s1');
    expect(c.takeAll()).toEqual(['s2']);
  });

  it('lets those held back go before others that came later', () => {
    const slow = { action: 'slow' };
    const c = channelOf([ownedTask('s1', slow), ownedTask('s2', slow), ownedTask('s3', slow)], {
      slow: 2,
    });
    expect(c.takeAll()).toEqual(['s1', 's2']);
    c.channel.put(jobOf(ownedTask('later')));
    c.end('s1');
    c.end('s2');
    expect(c.takeAll()).toEqual(['s3', 'later']);
  });

  it('lets a limit be raised, lowered and lifted', () => {
    const slow = { action: 'slow' };
    const c = channelOf(
      [1, 2, 3, 4].map((n) => ownedTask(`s${n}`, slow)),
      { slow: 1 },
    );
    expect(c.takeAll()).toEqual(['s1']);
    c.channel.limitAction('slow', 2);
    expect(c.takeAll()).toEqual(['s2']);
    c.channel.limitAction('slow', 1);
    c.end('s1');
    expect(c.takeAll()).toEqual([]);
    c.channel.limitAction('slow', undefined);
    expect(c.takeAll()).toEqual(['s3', 's4']);
  });

  it('performs so many of a limited key at once as its slots allow, each key by itself', () => {
    const c = channelOf([limited('a1', 1), limited('a2', 1), limited('b1', 1, 1, 'other')]);
    expect(c.takeAll()).toEqual(['a1', 'b1']);
    c.end('a1');
    expect(c.takeAll()).toEqual(['a2']);
  });

  it('goes by the latest version of the slots, in whatever order they come', () => {
    const c = channelOf([limited('a', 1, 5), limited('b', 3, 7), limited('c', 1, 6)]);
    expect(c.takeAll()).toEqual(['a', 'b', 'c']);
    const fewer = channelOf([limited('a', 3, 5), limited('b', 1, 6), limited('c', 3, 4)]);
    expect(fewer.takeAll()).toEqual(['a']);
  });

  it('forgets a key of which nothing is left, and what was known of its slots', () => {
    const c = channelOf([limited('a', 1, 9)]);
    expect(c.takeAll()).toEqual(['a']);
    c.end('a');
    for (const id of ['b', 'c']) c.channel.put(jobOf(limited(id, 2, 3)));
    expect(c.takeAll()).toEqual(['b', 'c']);
  });

  it('has a job pass the gate of its action and that of its key', () => {
    const both = (id: string, key: string) =>
      ownedTask(id, { action: 'slow', slots: { key, count: 1, version: 1 } });
    const c = channelOf([both('a', 'x'), both('b', 'x'), both('c', 'y')], { slow: 2 });
    expect(c.takeAll()).toEqual(['a', 'c']);
    c.end('c');
    // Its action may, its key may not.
    expect(c.takeAll()).toEqual([]);
    c.end('a');
    expect(c.takeAll()).toEqual(['b']);
  });

  it('holds nobody up behind one that was lost at a gate', () => {
    const slow = { action: 'slow' };
    const c = channelOf(
      [1, 2, 3].map((n) => ownedTask(`s${n}`, slow)),
      { slow: 1 },
    );
    expect(c.takeAll()).toEqual(['s1']);
    c.jobs[1]?.lose(new Error('gone'));
    c.end('s1');
    expect(c.takeAll()).toEqual(['s3']);
  });

  it('holds nobody up behind one that is let in at a gate and held back at the next', () => {
    const c = channelOf(
      [
        ownedTask('a', { action: 'slow' }),
        limited('k', 1),
        ownedTask('b', { action: 'slow', slots: { key: 'key', count: 1, version: 1 } }),
        ownedTask('c', { action: 'slow' }),
      ],
      { slow: 1 },
    );
    expect(c.takeAll()).toEqual(['a', 'k']);
    c.end('a');
    expect(c.takeAll()).toEqual(['c']);
    c.end('k');
    expect(c.takeAll()).toEqual([]);
    c.end('c');
    expect(c.takeAll()).toEqual(['b']);
  });

  it('lets go of what was handed back or lost, at gates too', () => {
    const slow = { action: 'slow' };
    const c = channelOf(
      [1, 2, 3].map((n) => ownedTask(`s${n}`, slow)),
      { slow: 1 },
    );
    c.takeAll();
    c.channel.put(jobOf(ownedTask('other')));
    for (const job of c.jobs.slice(1)) job.handBack('as a test');
    expect(c.channel.size).toBe(3);
    c.channel.sweep();
    expect([c.channel.size, c.channel.numParked]).toEqual([1, 0]);
    expect(c.takeAll()).toEqual(['other']);
  });

  /*
   * One slot. a is inside, b was parked. a ends: b is let go, and nothing is inside or parked. Before b is taken, c comes
   * with the next claim: had the gate gone with a, b would begin without it, and c beside b.
   */
  it('keeps the gate of a key until the last job that it let go has ended', () => {
    const c = channelOf([limited('a', 1), limited('b', 1)]);
    expect(c.takeAll()).toEqual(['a']);
    c.end('a');
    expect(c.take()).toBe('b');
    c.channel.put(jobOf(limited('c', 1, 2)));
    expect(c.takeAll()).toEqual([]);
    c.end('b');
    expect(c.takeAll()).toEqual(['c']);
  });
});
