import { noopLogger } from '../../../src/logger.js';
import type { OwnedTask } from '../../../src/store/task-store.js';
import { Job, type JobHost } from '../../../src/worker/job.js';
import { OutcomeRules } from '../../../src/worker/outcome-rules.js';

/** A task as a store gives it. */
export function ownedTask(id: string, more: Partial<OwnedTask> = {}): OwnedTask {
  return {
    id,
    token: `token of ${id}`,
    action: 'work',
    body: null,
    queue: 'default',
    priority: 0,
    numSignalledFailures: 0,
    numTries: 1,
    maxTries: null,
    deadline: null,
    maxDurationMs: null,
    isBegun: true,
    slots: null,
    ...more,
  };
}

/** A job of nobody's: what is asked of its manager comes to nothing, but for what is given. */
export function jobOf(task: OwnedTask, host: Partial<JobHost> = {}): Job {
  return new Job(
    task,
    { askedAt: performance.now() },
    {
      logger: noopLogger,
      rules: new OutcomeRules({ retry: { delayMs: 0 }, maxTries: 25, random: () => 0.5 }),
      settings: () => undefined,
      handle: async () => ({ statusCode: 'completed' }),
      announce: () => {},
      onStarted: () => {},
      extend: async () => {},
      report: () => {},
      onDecided: () => {},
      ...host,
    },
  );
}
