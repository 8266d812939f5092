/** What columns can hold, for the checks of what is to be written to them. */
export const MAX_INT2 = 2 ** 15 - 1;
export const MAX_INT4 = 2 ** 31 - 1;
/** A btree index entry may be a third of a page: 2,704 bytes. This leaves room, and is a number to remember. */
export const MAX_ID_BYTES = 2048;
/** Of an action, a queue, a key: those of one lane stand together in one index entry. */
export const MAX_LANE_BYTES = 512;
/** Of any duration: Postgres adds it to a time. */
export const HUNDRED_YEARS_MS = 100 * 365.25 * 86_400_000;
/** The shortest duration but none. */
export const MICROSECOND_MS = 0.001;
