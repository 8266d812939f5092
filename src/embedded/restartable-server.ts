import { join } from 'node:path';
import { initCluster } from './cluster.js';
import { connectionUrl } from './connection.js';
import type { Launch } from './launch.js';
import { checkOptions, type StartEmbeddedOptions } from './options.js';
import { makeOwnedDir, type OwnedDir, RUN_DIR_PREFIX, TEMPORARY_DATA_DIR } from './owned-dir.js';
import { Postmaster, type PostmasterPlan } from './postmaster.js';
import { waitUntilReady } from './readiness.js';
import { asTyped, prepareLaunch } from './start-embedded.js';

/**
 * A temporary server that can crash and come back: for tests of what happens then.
 *
 *   running --crash()--> down --resume()--> running;  any --stop()--> stopped, its directory removed
 *
 * It comes back at the same address with all that was committed. Calls wait for one another.
 */
export class RestartableServer implements AsyncDisposable {
  readonly connectionString: string;
  readonly #launch: Launch;
  readonly #runDir: OwnedDir;
  readonly #plan: PostmasterPlan;
  #postmaster: Postmaster;
  #state: 'running' | 'down' | 'stopped' = 'running';
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    launch: Launch,
    runDir: OwnedDir,
    plan: PostmasterPlan,
    postmaster: Postmaster,
  ) {
    this.connectionString = connectionUrl(postmaster.socket);
    this.#launch = launch;
    this.#runDir = runDir;
    this.#plan = plan;
    this.#postmaster = postmaster;
  }

  /** Starts one on a cluster of its own. Throws what `startEmbedded` does. */
  static async start(options: Omit<StartEmbeddedOptions, 'dataDir' | 'port'> = {}) {
    // A temporary cluster may lose its last commits in a crash of Postgres; this one is here to crash.
    const settings = { synchronous_commit: true, ...options.settings };
    const checked = checkOptions({ ...options, settings });
    try {
      const launch = await prepareLaunch(checked);
      const { tempFolder, owner, runAs } = launch;
      const runDir = await makeOwnedDir(tempFolder, RUN_DIR_PREFIX, owner, runAs);
      return await RestartableServer.#startIn(runDir, launch);
    } catch (error) {
      throw asTyped(error);
    }
  }

  static async #startIn(runDir: OwnedDir, launch: Launch): Promise<RestartableServer> {
    const plan: PostmasterPlan = {
      dataDir: join(runDir.path, TEMPORARY_DATA_DIR),
      socketDir: runDir.path,
      logFiles: [join(runDir.path, 'server.log')],
      isThrowaway: true,
    };
    try {
      await initCluster(launch, plan.dataDir, false);
      return new RestartableServer(launch, runDir, plan, await bringUp(launch, plan));
    } catch (error) {
      await runDir.remove();
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Cuts off all clients and ends without saving. Does nothing unless it is running. */
  crash(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'running') return;
      this.#state = 'down';
      await this.#postmaster.crash();
    });
  }

  /** Starts and recovers after a crash; resolves once it answers. Does nothing unless it is down. */
  resume(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'down') return;
      const deadline = performance.now() + this.#launch.startTimeoutMs;
      this.#postmaster = await bringUp({ ...this.#launch, deadline }, this.#plan);
      this.#state = 'running';
    });
  }

  /** Ends it for good and removes its data. Safe twice. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state === 'stopped') return;
      this.#state = 'stopped';
      await this.#postmaster.stop();
      await this.#runDir.remove();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** Leaves no process behind if the server does not come up. */
async function bringUp(launch: Launch, plan: PostmasterPlan): Promise<Postmaster> {
  const postmaster = await Postmaster.spawn(launch, plan);
  try {
    await waitUntilReady(postmaster, launch);
    return postmaster;
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}
