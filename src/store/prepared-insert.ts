import { IntList } from '../graph/int-list.js';
import type { BatchReader } from './batch-reader.js';
import { copyHeader, copyTrailer, totalOffset } from './copy-row.js';
import type { Limits } from './task-store.js';

/** Tasks, and of each a number of signals. */
export interface SignalPage {
  readonly ids: string[];
  readonly counts: number[];
}

/**
 * A batch of which all, or the beginning, has been read. Its rows can be written any number of times until it is disposed
 * of. What else it tells is about the whole batch, and there once that has been read: `rows` reads on.
 */
export class PreparedInsert {
  readonly #reader: BatchReader;
  readonly #turns: AsyncGenerator<undefined, Int32Array>;
  /** Nodes of the targets that are not in the batch, in the order of their ids' bytes; once all is read. */
  #outside: Int32Array | undefined;
  #fault: { readonly error: unknown } | undefined;
  /** By row: the total with which it was given out last. */
  #given = new IntList();

  constructor(reader: BatchReader, turns: AsyncGenerator<undefined, Int32Array>) {
    this.#reader = reader;
    this.#turns = turns;
  }

  /** How many tasks have been read. */
  get count(): number {
    return this.#reader.index.numTasks;
  }

  /** Whether all have been read, and passed all checks but those of the database. */
  get isRead(): boolean {
    return this.#outside !== undefined;
  }

  /** Reads some more; resolves with false if there are none. Rejects with what is wrong with the batch, every time. */
  async readOn(): Promise<boolean> {
    if (this.#fault) throw this.#fault.error;
    if (this.#outside) return false;
    try {
      const turn = await this.#turns.next();
      if (turn.done) this.#outside = turn.value;
      return !turn.done;
    } catch (error) {
      this.#fault = { error };
      throw error;
    }
  }

  async readAll(): Promise<void> {
    while (!this.isRead) await this.readOn();
  }

  /** The ids of all tasks, in the order in which they were read. */
  *ids(): Generator<string> {
    for (let row = 0; row < this.count; row++) yield this.#idOfRow(row);
  }

  /** Targets that are not in the batch, in the order of their ids' bytes, with how many of its tasks list each. */
  *outsideTargets(pageSize: number): Generator<SignalPage> {
    const outside = this.#whole();
    const { index } = this.#reader;
    for (let from = 0; from < outside.length; from += pageSize) {
      const nodes = Array.from(outside.subarray(from, from + pageSize));
      yield {
        ids: nodes.map((node) => index.idOf(node)),
        counts: nodes.map((node) => index.signalsOf(node)),
      };
    }
  }

  /** Tasks that wait for more signals than was known when their rows were given out, with how many that are. */
  *belated(pageSize: number): Generator<SignalPage> {
    const rows = this.#rowsWhere((row) => this.#given.at(row) !== this.#reader.totalOf(row));
    for (const page of pages(rows, pageSize)) {
      yield {
        ids: page.map((row) => this.#idOfRow(row)),
        counts: page.map((row) => this.#reader.totalOf(row)),
      };
    }
  }

  /** Ids of the tasks that wait for nothing, at most `pageSize` at a time. */
  *starts(pageSize: number): Generator<string[]> {
    this.#whole();
    const rows = this.#rowsWhere((row) => this.#reader.totalOf(row) === 0);
    for (const page of pages(rows, pageSize)) yield page.map((row) => this.#idOfRow(row));
  }

  /** Ids of the tasks with a unique key, at most `pageSize` at a time. */
  *keyed(pageSize: number): Generator<string[]> {
    this.#whole();
    for (const page of pages(this.#reader.keyed, pageSize)) {
      yield page.map((row) => this.#idOfRow(row));
    }
  }

  /** The limits that the batch sets, by key. */
  get limits(): ReadonlyMap<string, Limits> {
    this.#whole();
    return this.#reader.limits;
  }

  /** All of a binary COPY into `copyColumns`, in chunks of about 64 kB. */
  async *copyData(): AsyncGenerator<Buffer> {
    yield copyHeader;
    yield* this.rows();
    yield copyTrailer;
  }

  /** The rows alone, with their totals filled in as far as they are known, in blocks of about 64 kB. Rejects as readOn does. */
  rows(): AsyncGenerator<Buffer> {
    this.#given = new IntList();
    const fillIn = (bytes: Buffer, start: number, row: number): void => {
      const total = this.#reader.totalOf(row);
      this.#given.push(total);
      bytes.writeInt32BE(total, start + totalOffset);
    };
    return this.#reader.spool.blocks(fillIn, () => this.readOn());
  }

  /** Frees memory and the temporary file, and closes the source. Safe to call twice. */
  async dispose(): Promise<void> {
    await this.#reader.spool.dispose();
    await this.#turns.return(new Int32Array());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #whole(): Int32Array {
    if (!this.#outside) throw new RangeError('the batch has not been read to its end');
    return this.#outside;
  }

  #rowsWhere(isWanted: (row: number) => boolean): IntList {
    const rows = new IntList();
    for (let row = 0; row < this.count; row++) if (isWanted(row)) rows.push(row);
    return rows;
  }

  #idOfRow(row: number): string {
    const { index } = this.#reader;
    return index.idOf(index.nodeOf(row));
  }
}

function* pages(rows: IntList, pageSize: number): Generator<number[]> {
  for (let from = 0; from < rows.length; from += pageSize) {
    const length = Math.min(pageSize, rows.length - from);
    yield Array.from({ length }, (_, i) => rows.at(from + i));
  }
}
