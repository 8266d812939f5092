import { InvalidOptionError } from '../errors.js';
import type { Actor, ManualActor } from './actor.js';

/** One actor or several; all of them have a handler, or none has. */
export type Performers = Actor | ManualActor | readonly (Actor | ManualActor)[];

export function toPerformers(actors: Performers): readonly (Actor | ManualActor)[] {
  const performers = isMany(actors) ? actors : [actors];
  if (performers.length === 0) {
    throw new InvalidOptionError('actors', 'are none; give at least one');
  }
  return performers;
}

/** Whether their tasks are performed by hand. InvalidOptionError if only those of some are. */
export function areManual(performers: readonly (Actor | ManualActor)[]): boolean {
  const numManual = performers.filter(({ handle }) => handle === undefined).length;
  if (numManual > 0 && numManual < performers.length) {
    throw new InvalidOptionError('actors', 'must all have a handler, or none of them');
  }
  return numManual > 0;
}

function isMany(actors: Performers): actors is readonly (Actor | ManualActor)[] {
  return Array.isArray(actors);
}
