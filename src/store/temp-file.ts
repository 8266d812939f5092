import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalboxError } from '../errors.js';

/**
 * A file without a name: unlinked as soon as it is open, so it goes with the process however that ends.
 *
 * Rejects with SignalboxError TEMP_FILE, and the system's error as its cause, when it cannot be made, written or read.
 */
export class TempFile {
  readonly #handle: FileHandle;
  readonly #directory: string;
  #length = 0;

  private constructor(handle: FileHandle, directory: string) {
    this.#handle = handle;
    this.#directory = directory;
  }

  /** Only its owner may read it, in the moment in which it has a name. */
  static async create(directory: string): Promise<TempFile> {
    const path = join(directory, `signalbox-${randomUUID()}`);
    return explained(directory, async () => {
      const handle = await open(path, 'wx+', 0o600);
      await unlink(path);
      return new TempFile(handle, directory);
    });
  }

  get length(): number {
    return this.#length;
  }

  async append(bytes: Buffer): Promise<void> {
    await explained(this.#directory, async () => {
      for (let done = 0; done < bytes.length; ) {
        const rest = bytes.length - done;
        const { bytesWritten } = await this.#handle.write(bytes, done, rest, this.#length);
        done += bytesWritten;
        this.#length += bytesWritten;
      }
    });
  }

  /** Fresh memory each time: a socket may hold on to it. */
  async read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    return explained(this.#directory, async () => {
      for (let done = 0; done < length; ) {
        const { bytesRead } = await this.#handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) throw new Error(`the file ends at ${position + done}`);
        done += bytesRead;
      }
      return bytes;
    });
  }

  /** Frees the disk space. Safe to call twice. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function explained<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignalboxError(
      'TEMP_FILE',
      `A large insert keeps its rows in a temporary file in ${directory}, and that failed: ${why}. ` +
        'Free some space, set TMPDIR to a directory that has it, or insert fewer tasks at a time.',
      { cause },
    );
  }
}
