/** Milliseconds as Postgres' driver wants and gives them. Null stays null. */

export function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

export function toMs(date: Date | null): number | null {
  return date === null ? null : date.getTime();
}

export function toInterval(ms: number | null): string | null {
  return ms === null ? null : `${ms} milliseconds`;
}
