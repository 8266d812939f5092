import type { Timing } from './contestant.js';
import type { ContestantProcess } from './contestant-process.js';
import type { Scenario, Setting } from './scenario.js';
import type { WorkloadName } from './workloads/index.js';

/** What the rates are called; the second is of the flat tasks that some scenarios are held against. */
export const RATE = 'rate';
export const FLAT_RATE = 'rate of flat tasks';

/**
 * Before each run that counts so many more tasks go, uncounted: a process that has waited for its turn has given memory
 * back, and code that was compiled. Without, minutes of waiting cost signalbox 3 to 6 us of Node's CPU a task.
 */
const WARM_UP_SHARE = 0.5;

interface Comparison extends Pick<Scenario, 'name' | 'what' | 'size' | 'quickSize' | 'targets'> {
  readonly workload: WorkloadName;
  /** Which part of a run counts. */
  readonly part: keyof Timing;
  /** Whether as many flat tasks are measured too, in turns. Default false. */
  readonly besideFlat?: boolean;
  /** Done after the contestants' turns. */
  readonly afterwards?: (setting: Setting) => Promise<void>;
}

/** A scenario in which every contestant that can takes the same tasks, in turns, and tasks a second are compared. */
export function comparison(options: Comparison): Scenario {
  const { part, besideFlat = false, afterwards, ...scenario } = options;
  return {
    ...scenario,
    unit: 'tasks',
    warmsUp: true,
    compares: true,
    async round(setting) {
      for (const contestant of setting.contestants) {
        if (!contestant.takes(scenario.name)) continue;
        const measured = { contestant, setting, part };
        await recordRate({ ...measured, workload: scenario.workload, what: RATE });
        if (besideFlat) await recordRate({ ...measured, workload: 'flat', what: FLAT_RATE });
      }
      await afterwards?.(setting);
    },
  };

  async function recordRate(run: {
    contestant: ContestantProcess;
    setting: Setting;
    part: keyof Timing;
    workload: WorkloadName;
    what: string;
  }): Promise<void> {
    const { size, record } = run.setting;
    await run.contestant.run(run.workload, size * WARM_UP_SHARE);
    const timing = await run.contestant.run(run.workload, size);
    const { name: who, differences } = run.contestant.entry;
    const note = differences?.[run.what === RATE ? scenario.name : 'flat'];
    const rest = { who, ...(note === undefined ? {} : { note }) };
    const { clockMs, nodeMs, machineMs } = timing[run.part];
    record({ ...rest, what: run.what, unit: 'tasks/s', value: (1_000 * size) / clockMs });
    if (run.what !== RATE) return;
    const cpu = { ...rest, unit: 'µs/task' };
    record({ ...cpu, what: 'CPU of its Node process', value: (1_000 * nodeMs) / size });
    record({ ...cpu, what: 'CPU of all else', value: (1_000 * (machineMs - nodeMs)) / size });
  }
}
