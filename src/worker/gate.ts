/** Lets so many jobs of one name be performed at once. */
export interface Gate<J> {
  capacity: number;
  /** Of a limited key: of two sets of slots, the later version holds. */
  version: number;
  numInside: number;
  /** Of a limited key: those that wait, wherever they do, or are inside. */
  numJobs: number;
  /** Those that found it closed. */
  readonly parked: J[];
}
