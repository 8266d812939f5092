import { describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../../src/errors.js';
import type { ActionDefinition } from '../../../src/worker/actor.js';
import { defineActor } from '../../../src/worker/define-actor.js';
import { ActionKnownError, UnknownActionError } from '../../../src/worker/worker-errors.js';

describe('an actor', () => {
  it('may begin without actions, learn and forget them', () => {
    const actor = defineActor('me');
    expect(actor.actions).toEqual([]);
    actor.learn('a', { handle: () => 1, concurrency: 2 });
    actor.learn('b', () => 2);
    expect([actor.actions, actor.settings]).toEqual([['a', 'b'], { a: { concurrency: 2 }, b: {} }]);
    actor.forget('a');
    expect([actor.actions, actor.settings]).toEqual([['b'], { b: {} }]);
  });

  it('does not learn twice, unless told to override', () => {
    const actor = defineActor('me', { a: () => 1 });
    const again = () => actor.learn('a', { handle: () => 2, timeoutMs: 5 });
    expect(again).toThrow(ActionKnownError);
    expect(actor.settings).toEqual({ a: {} });
    actor.learn('a', { handle: () => 2, timeoutMs: 5 }, { override: true });
    expect(actor.settings).toEqual({ a: { timeoutMs: 5 } });
  });

  it('forgets only what it knows', () => {
    expect(() => defineActor('me').forget('a')).toThrow(UnknownActionError);
  });

  it('tells of changes until told not to; a listener that refuses undoes what was learned', () => {
    const actor = defineActor('me', { a: () => 1 });
    const listener = vi.fn();
    const off = actor.onChange(listener);
    actor.learn('b', () => 1);
    actor.forget('b');
    expect(listener).toHaveBeenCalledTimes(2);
    off();
    actor.onChange(() => {
      if (actor.actions.includes('c')) throw new ActionKnownError('c');
    });
    expect(() => actor.learn('c', () => 1)).toThrow(ActionKnownError);
    expect(actor.actions).toEqual(['a']);
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it.each<[string, ActionDefinition]>([
    ['concurrency', { handle: () => {}, concurrency: 0 }],
    ['timeoutMs', { handle: () => {}, timeoutMs: -1 }],
    ['maxTries', { handle: () => {}, maxTries: 1.5 }],
    ['retry', { handle: () => {}, retry: { delayMs: -1 } }],
    ['schema', { handle: () => {}, schema: { type: 'nothing' } }],
  ])('refuses %s out of range', (name, definition) => {
    const define = () => defineActor('me', { a: definition });
    expect(define).toThrow(InvalidOptionError);
    expect(define).toThrow(name);
    const actor = defineActor('me');
    expect(() => actor.learn('a', definition)).toThrow(InvalidOptionError);
    expect(actor.actions).toEqual([]);
  });

  it('needs an id', () => {
    expect(() => defineActor('')).toThrow(InvalidOptionError);
  });
});
