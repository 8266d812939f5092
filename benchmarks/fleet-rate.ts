import { withBox } from './box.js';
import { Fleet } from './fleet.js';
import type { WorkloadName } from './fleet-messages.js';

const SCHEMA = 'bench_fleet';

/**
 * Tasks a second that so many processes perform together, each with so many connections besides the one that listens.
 * With `warmsUp`, after they have performed as many already.
 */
export async function fleetRate(options: {
  readonly connectionString: string;
  readonly processes: number;
  readonly connections: number;
  readonly workload: WorkloadName;
  readonly size: number;
  readonly warmsUp?: boolean;
}): Promise<number> {
  const { connectionString, processes, connections, workload, size, warmsUp } = options;
  const place = { connectionString, schema: SCHEMA };
  return await withBox(place, async () => {
    await using fleet = await Fleet.start(processes, { ...place, maxConnections: connections });
    if (warmsUp) {
      await fleet.insert(workload, size, 'warm-up');
      await fleet.perform(size);
    }
    await fleet.insert(workload, size);
    return (1_000 * size) / (await fleet.perform(size));
  });
}
