import type { IntList } from '../graph/int-list.js';
import type { TaskIndex } from '../graph/task-index.js';
import { copyHeader, copyTrailer, totalOffset } from './copy-row.js';
import type { RowSpool } from './row-spool.js';
import type { Limits } from './task-store.js';

/** Tasks inserted earlier that the batch lists, with how many of its tasks list each. */
export interface TargetPage {
  readonly ids: string[];
  readonly counts: number[];
}

/** A batch that has passed all checks but those of the database. */
export interface CheckedBatch {
  readonly index: TaskIndex;
  /** All rows, their totals not yet filled in. */
  readonly spool: RowSpool;
  /** By row: the signals to wait for. */
  readonly totals: IntList;
  /** Rows that wait for nothing. */
  readonly starts: IntList;
  /** Rows with a unique key. */
  readonly keyed: IntList;
  /** What its tasks say of the limits of keys. */
  readonly limits: ReadonlyMap<string, Limits>;
  /** Nodes of the targets that are not in the batch, in the order of their ids' bytes. */
  readonly outside: Int32Array;
}

/** What prepareInsert makes: can be written any number of times until it is disposed of. */
export class PreparedInsert {
  readonly #batch: CheckedBatch;

  constructor(batch: CheckedBatch) {
    this.#batch = batch;
  }

  /** How many tasks the batch has. */
  get count(): number {
    return this.#batch.index.numTasks;
  }

  /** The ids of all tasks, in the order in which they were read. */
  *ids(): Generator<string> {
    for (let row = 0; row < this.count; row++) yield this.#idOfRow(row);
  }

  /** Targets that are not in the batch, in the order of their ids' bytes, at most `pageSize` at a time. */
  *outsideTargets(pageSize: number): Generator<TargetPage> {
    const { index, outside } = this.#batch;
    for (let from = 0; from < outside.length; from += pageSize) {
      const nodes = Array.from(outside.subarray(from, from + pageSize));
      yield {
        ids: nodes.map((node) => index.idOf(node)),
        counts: nodes.map((node) => index.signalsOf(node)),
      };
    }
  }

  /** Ids of the tasks that wait for nothing, at most `pageSize` at a time. */
  starts(pageSize: number): Generator<string[]> {
    return this.#pages(this.#batch.starts, pageSize);
  }

  /** Ids of the tasks with a unique key, at most `pageSize` at a time. */
  keyed(pageSize: number): Generator<string[]> {
    return this.#pages(this.#batch.keyed, pageSize);
  }

  /** The limits that the batch sets, by key. */
  get limits(): ReadonlyMap<string, Limits> {
    return this.#batch.limits;
  }

  /** All of a binary COPY into `copyColumns`, in chunks of about 64 kB. */
  async *copyData(): AsyncGenerator<Buffer> {
    yield copyHeader;
    yield* this.rows();
    yield copyTrailer;
  }

  /** The rows alone, with their totals filled in, in blocks of about 64 kB. */
  rows(): AsyncGenerator<Buffer> {
    const { spool, totals } = this.#batch;
    return spool.blocks((bytes, start, row) => {
      bytes.writeInt32BE(totals.at(row), start + totalOffset);
    });
  }

  /** Frees memory and the temporary file. Safe to call twice. */
  async dispose(): Promise<void> {
    await this.#batch.spool.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  *#pages(rows: IntList, pageSize: number): Generator<string[]> {
    for (let from = 0; from < rows.length; from += pageSize) {
      const length = Math.min(pageSize, rows.length - from);
      yield Array.from({ length }, (_, i) => this.#idOfRow(rows.at(from + i)));
    }
  }

  #idOfRow(row: number): string {
    return this.#batch.index.idOf(this.#batch.index.nodeOf(row));
  }
}
