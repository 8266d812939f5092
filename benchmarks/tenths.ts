import { withBox } from './box.js';
import { Fleet } from './fleet.js';
import type { Setting } from './scenario.js';
import { ratioOf, type Target } from './target.js';

const SCHEMA = 'bench_tenths';
const TENTHS = 10;
/** What connect() opens by default. */
const CONNECTIONS = 10;

/**
 * Diamonds in ten parts, each inserted and then performed by one process of its own, and the rate of each. The tables
 * grow with every part and the mix of work stays the same: inserted all at once, the first tenth would be nothing but
 * first tasks and the last nothing but last ones. Inserting is not part of the rate, but of the memory. A part that does
 * not count goes first: a process that has just begun is slower than it will be, and would flatter the last tenth.
 */
export async function measureTenths({ connectionString, size, record }: Setting): Promise<void> {
  const place = { connectionString, schema: SCHEMA };
  await withBox(place, async () => {
    await using fleet = await Fleet.start(1, { ...place, maxConnections: CONNECTIONS });
    const part = size / TENTHS;
    await fleet.insert('diamonds', part, 'warm-up');
    await fleet.perform(part);
    for (let tenth = 1; tenth <= TENTHS; tenth++) {
      await fleet.insert('diamonds', part, `tenth-${tenth}`);
      const value = (1_000 * part) / (await fleet.perform(part));
      record({ who: nameOf(tenth), what: 'rate', unit: 'tasks/s', value });
    }
    const { rssMb, heapMb } = fleet.memory;
    record({ who: 'signalbox', what: 'peak memory of the client', unit: 'MB', value: rssMb });
    record({ who: 'signalbox', what: 'peak heap of the client', unit: 'MB', value: heapMb });
  });
}

/** That the last tenth is not much slower than the first. */
export function lastTenthAtLeast(limit: number): Target {
  return {
    what: 'rate of the last tenth against the first',
    kind: 'at least',
    limit,
    value: ratioOf({ who: nameOf(TENTHS), what: 'rate' }, { who: nameOf(1), what: 'rate' }),
  };
}

function nameOf(tenth: number): string {
  return `tenth ${tenth}`;
}
