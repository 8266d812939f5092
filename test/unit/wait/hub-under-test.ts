import { onTestFinished } from 'vitest';
import type { Logger } from '../../../src/logger.js';
import { WaiterHub } from '../../../src/wait/waiter-hub.js';
import { FakeListener } from './fake-listener.js';
import { FakeTasks } from './fake-tasks.js';

interface HubUnderTest {
  readonly hub: WaiterHub;
  readonly tasks: FakeTasks;
  readonly listener: FakeListener;
  /** `level: message` of what was logged above debug. */
  readonly logged: string[];
}

/** A hub over fakes, stopped after the test. It polls once in 10 minutes unless told otherwise: never. */
export function hubUnderTest(
  options: { pollIntervalMs?: number; retryIntervalMs?: number } = {},
): HubUnderTest {
  const tasks = new FakeTasks();
  const listener = new FakeListener();
  const logged: string[] = [];
  const logger: Logger = {
    debug: () => {},
    info: (_, msg) => logged.push(`info: ${msg}`),
    warn: (_, msg) => logged.push(`warn: ${msg}`),
    error: (_, msg) => logged.push(`error: ${msg}`),
  };
  const hub = new WaiterHub(
    {
      listenConfig: {},
      watch: tasks.watch,
      logger,
      pollIntervalMs: 600_000,
      retryIntervalMs: 1,
      ...options,
    },
    listener,
  );
  onTestFinished(() => hub.stop());
  return { hub, tasks, listener, logged };
}

/** The same, listening already. */
export async function listeningHub(
  options: { pollIntervalMs?: number; retryIntervalMs?: number } = {},
): Promise<HubUnderTest> {
  const parts = hubUnderTest(options);
  const started = parts.hub.start();
  parts.listener.connect();
  await started;
  return parts;
}

/** Lets everything happen that is due in this turn of the event loop and the next two. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
