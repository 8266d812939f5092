import { cpus } from 'node:os';

/** What something took, in milliseconds. */
export interface Span {
  readonly clockMs: number;
  /** CPU of this process, all its threads. */
  readonly nodeMs: number;
  /** CPU of the whole machine, this process and the server among it. */
  readonly machineMs: number;
}

export async function measure(work: () => Promise<void>): Promise<Span> {
  const machineBefore = readMachineMs();
  const before = process.cpuUsage();
  const clockMs = await timed(work);
  const { user, system } = process.cpuUsage(before);
  const machineMs = readMachineMs() - machineBefore;
  return { clockMs, nodeMs: (user + system) / 1_000, machineMs };
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** For how long the processors have been busy, in steps of the system's clock tick. */
function readMachineMs(): number {
  return cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
}
