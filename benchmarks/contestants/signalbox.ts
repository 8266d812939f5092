import { ActionManager, connect, defineActor, type Signalbox } from 'signalbox';
import { emptyTables, onServer } from '../box.js';
import type { Contestant, OnTask } from '../contestant.js';
import { measure } from '../span.js';
import { WakeUps } from '../wake-ups.js';
import { BODY } from '../workloads/body.js';

const SCHEMA = 'bench_signalbox';

/** The whole client path: insertTasks with its checks, ActionManager with its defaults, an empty async handler. */
export async function openSignalbox(connectionString: string): Promise<Contestant> {
  const drop = () =>
    onServer(connectionString, (client) => client.query(`drop schema if exists ${SCHEMA} cascade`));
  await drop();
  const box = await connect({ connectionString, schema: SCHEMA });
  await box.migrate();
  return {
    name: 'signalbox',
    async run(workload, size, onTask) {
      const insertSpan = await measure(async () => {
        await box.insertTasks(workload());
      });
      const performSpan = await measure(() => performAll(box, size, onTask));
      await emptyTables(connectionString, SCHEMA);
      return { insert: insertSpan, perform: performSpan };
    },
    async wake(count) {
      const latencies = await measureWakeUps(box, count);
      await emptyTables(connectionString, SCHEMA);
      return latencies;
    },
    async close() {
      await box.close();
      await drop();
    },
  };
}

/** Performs `size` tasks with an empty async handler, and stops when all are returned. */
export async function performAll(
  box: Signalbox,
  size: number,
  onTask: OnTask = () => {},
): Promise<void> {
  let performed = 0;
  await new Promise<void>((resolve, reject) => {
    const work = async () => {
      onTask();
      if (++performed === size) manager.stop().then(resolve, reject);
    };
    const manager = new ActionManager(box, defineActor('bench', { work }));
    manager.start().catch(reject);
  });
}

async function measureWakeUps(box: Signalbox, count: number): Promise<number[]> {
  const wakeUps = new WakeUps();
  const work = async () => wakeUps.woken();
  await using manager = new ActionManager(box, defineActor('bench', { work }));
  await manager.start();
  return await wakeUps.measure(count, (number) =>
    box.insertTasks([{ id: `wake/${number}`, action: 'work', body: BODY }]),
  );
}
