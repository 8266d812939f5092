import { existsSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** As Linux names the open files of a process. */
const OPEN_FILES = '/proc/self/fd';

/** Whether countOpenFiles can tell; where not, it says 0. */
export const canCountOpenFiles = existsSync(OPEN_FILES);

/** How many files this process has open that are, or were before they were unlinked, in the directory. */
export async function countOpenFiles(directory: string): Promise<number> {
  if (!canCountOpenFiles) return 0;
  const names = await readdir(OPEN_FILES);
  const paths = await Promise.all(
    names.map((name) => readlink(join(OPEN_FILES, name)).catch(() => '')),
  );
  return paths.filter((path) => path.startsWith(directory)).length;
}
