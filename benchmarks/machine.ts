import os from 'node:os';
import pg from 'pg';
import packageJson from '../package.json' with { type: 'json' };

/** Where a run was made. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  /** Work that waited for a core, on average over the minute before the scenario. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release().match(/^\d+\.\d+/)?.[0] ?? ''} ${os.arch()}`,
    loadBefore: os.loadavg()[0] ?? Number.NaN,
  };
}

/** Of what takes part, with the settings of the server that decide what a commit promises. Peers carry theirs in their names. */
export async function readVersions(connectionString: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings
       where name in ('server_version', 'fsync', 'synchronous_commit', 'shared_buffers') order by name`,
    );
    const settings = rows.map(({ name, setting }) => [`postgres ${name}`, setting]);
    return {
      signalbox: packageJson.version,
      node: process.version,
      ...Object.fromEntries(settings),
    };
  } finally {
    await client.end();
  }
}
