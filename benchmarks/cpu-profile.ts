import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';

/** Does `work` under V8's profiler, as `node --cpu-prof` would, and writes what it saw to a .cpuprofile. */
export async function withCpuProfile(file: URL, work: () => Promise<void>): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await work();
    const { profile } = await session.post('Profiler.stop');
    await writeFile(file, JSON.stringify(profile));
  } finally {
    session.disconnect();
  }
}
