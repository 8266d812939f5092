import { tmpdir } from 'node:os';
import { IntList } from '../graph/int-list.js';
import { TempFile } from './temp-file.js';

export interface RowSpoolOptions {
  /** Beyond this many bytes, rows go to a temporary file. Default 32 MiB. */
  memoryBytes?: number;
  /** Rows are kept and given out in blocks of about this many bytes. Default 64 KiB. */
  blockBytes?: number;
  /** Where the temporary file is made. Default: os.tmpdir(). */
  directory?: string;
}

const DEFAULTS = Object.freeze({ memoryBytes: 32 * 2 ** 20, blockBytes: 64 * 2 ** 10 });

async function noMore(): Promise<boolean> {
  return false;
}

/** Changes a row in place; `start` is where it begins in `bytes`. */
type RowPatch = (bytes: Buffer, start: number, row: number) => void;

/**
 * Keeps rows of bytes until it is known whether, and with which changes, they are wanted.
 *
 * Rows stand in blocks, none across two. The first blocks stay in memory, the others go to a temporary file.
 * `append` copies into the current block; when it returns false, `flush` must be awaited before the next.
 * Whoever made a spool must dispose of it.
 */
export class RowSpool {
  readonly #options: Required<RowSpoolOptions>;
  readonly #rowLengths = new IntList();
  /** By block, in memory or in the file: its number of rows and of bytes. */
  readonly #blockRows = new IntList();
  readonly #blockLengths = new IntList();
  #inMemory: Buffer[] = [];
  #bytesInMemory = 0;
  #file: TempFile | null = null;
  /** A full block that belongs into the file. */
  #unwritten: Buffer | null = null;
  #current = Buffer.alloc(0);
  #currentBytes = 0;
  #currentRows = 0;
  #isDisposed = false;

  constructor(options: RowSpoolOptions = {}) {
    this.#options = { ...DEFAULTS, directory: tmpdir(), ...options };
  }

  get numRows(): number {
    return this.#rowLengths.length;
  }

  /** Bytes that went to the temporary file so far. */
  get bytesOnDisk(): number {
    return this.#file?.length ?? 0;
  }

  /** Copies the first `length` bytes of `row`. Returns false when `flush` must be awaited before the next append. */
  append(row: Buffer, length: number): boolean {
    this.#assertUsable();
    if (this.#unwritten !== null) throw new Error('append without awaiting flush');
    if (this.#currentBytes + length > this.#current.length) {
      this.#seal();
      this.#current = Buffer.allocUnsafeSlow(Math.max(length, this.#options.blockBytes));
    }
    row.copy(this.#current, this.#currentBytes, 0, length);
    this.#currentBytes += length;
    this.#currentRows++;
    this.#rowLengths.push(length);
    return this.#unwritten === null;
  }

  /** Ends the current block, if it holds any rows. */
  #seal(): void {
    if (this.#currentRows === 0) return;
    const block = this.#current.subarray(0, this.#currentBytes);
    this.#blockRows.push(this.#currentRows);
    this.#blockLengths.push(this.#currentBytes);
    this.#bytesInMemory += this.#current.length;
    if (this.#file !== null || this.#bytesInMemory > this.#options.memoryBytes) {
      this.#unwritten = block;
    } else {
      this.#inMemory.push(block);
    }
    this.#current = Buffer.alloc(0);
    this.#currentBytes = 0;
    this.#currentRows = 0;
  }

  /** Writes the block that is waiting for the file, if there is one. */
  async flush(): Promise<void> {
    if (this.#unwritten === null) return;
    this.#file ??= await TempFile.create(this.#options.directory);
    await this.#file.append(this.#unwritten);
    this.#unwritten = null;
  }

  /**
   * Gives out all rows in order, block by block, each row patched first. At the end it has `readOn` append more rows,
   * until that resolves with false. May be called again, once nobody uses what was given out before: that is patched anew.
   */
  async *blocks(patch: RowPatch, readOn = noMore): AsyncGenerator<Buffer> {
    let row = 0;
    let filePosition = 0;
    for (let i = 0; await this.#has(i, readOn); i++) {
      const length = this.#blockLengths.at(i);
      this.#assertUsable();
      const block = this.#inMemory[i] ?? (await this.#readBlock(filePosition, length));
      if (i >= this.#inMemory.length) filePosition += length;
      const end = row + this.#blockRows.at(i);
      for (let start = 0; row < end; row++) {
        patch(block, start, row);
        start += this.#rowLengths.at(row);
      }
      yield block;
    }
  }

  async #has(block: number, readOn: () => Promise<boolean>): Promise<boolean> {
    this.#assertUsable();
    let isMore = true;
    while (block === this.#blockRows.length && isMore) isMore = await readOn();
    if (block === this.#blockRows.length) {
      this.#seal();
      await this.flush();
    }
    return block < this.#blockRows.length;
  }

  async #readBlock(position: number, length: number): Promise<Buffer> {
    if (this.#file === null) throw new Error('This RowSpool has no file');
    return this.#file.read(position, length);
  }

  #assertUsable(): void {
    if (this.#isDisposed) throw new Error('This RowSpool has been disposed of');
  }

  /** Frees memory and file. Safe to call twice. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#inMemory = [];
    this.#unwritten = null;
    this.#current = Buffer.alloc(0);
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
