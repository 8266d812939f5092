import pg from 'pg';
import { ActionManager, connect, defineActor, type Signalbox } from 'signalbox';
import { type Contestant, type Timing, timed, type Workload } from '../contestant.js';

const SCHEMA = 'bench_signalbox';

/** The whole client path: insertTasks with its checks, ActionManager, an empty async handler. */
export async function openSignalbox(connectionString: string): Promise<Contestant> {
  const admin = new pg.Pool({ connectionString, max: 1 });
  admin.on('error', () => {}); // lost while idle: the server stops
  return {
    name: 'signalbox',
    async run(workload, size) {
      await admin.query(`drop schema if exists ${SCHEMA} cascade`);
      // Its connections too are new: statements prepared against the schema of the round before fail once.
      await using box = await connect({ connectionString, schema: SCHEMA });
      await box.migrate();
      return await runOn(box, workload, size);
    },
    async close() {
      await admin.query(`drop schema if exists ${SCHEMA} cascade`);
      await admin.end();
    },
  };
}

async function runOn(box: Signalbox, workload: Workload, size: number): Promise<Timing> {
  const insertMs = await timed(async () => {
    await box.insertTasks(workload());
  });
  return { insertMs, performMs: await timed(() => performAll(box, size)) };
}

/** Performs `size` tasks with an empty async handler, and stops when all are returned. */
export async function performAll(box: Signalbox, size: number): Promise<void> {
  let performed = 0;
  await new Promise<void>((resolve, reject) => {
    const work = async () => {
      if (++performed === size) manager.stop().then(resolve, reject);
    };
    const manager = new ActionManager(box, defineActor('bench', { work }));
    manager.start().catch(reject);
  });
}
