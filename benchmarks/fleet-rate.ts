import { withBox } from './box.js';
import { Fleet } from './fleet.js';
import type { WorkloadName } from './workloads/index.js';

const SCHEMA = 'bench_fleet';

/**
 * Tasks a second that so many processes perform together, each with so many connections besides the one that listens,
 * after they have performed as many already: they have code to compile, and their connections pages to touch.
 */
export async function fleetRate(options: {
  readonly connectionString: string;
  readonly processes: number;
  readonly connections: number;
  readonly workload: WorkloadName;
  readonly size: number;
}): Promise<number> {
  const { connectionString, processes, connections, workload, size } = options;
  const place = { connectionString, schema: SCHEMA };
  return await withBox(place, async () => {
    await using fleet = await Fleet.start(processes, { ...place, maxConnections: connections });
    await fleet.insert(workload, size, 'warm-up');
    await fleet.perform(size);
    await fleet.insert(workload, size);
    return (1_000 * size) / (await fleet.perform(size));
  });
}
