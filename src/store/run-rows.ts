import type { StatusCode } from './task.js';

/** Which runs of graphs. */
export interface RunFilter {
  idPrefix?: string;
  /** A run is pending until all its nodes have ended. */
  statusCodes?: readonly StatusCode[];
  /** At most so many. Default 100. */
  limit?: number;
}

/** A run of a graph, as its own task has it: without its input and its outputs. */
export interface RunRow {
  readonly id: string;
  /** `<graph>@<version>/~run`. */
  readonly action: string;
  readonly statusCode: StatusCode;
  readonly status: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** A task of a run, or the items of a map that are in one state. */
export interface RunPart {
  /** Of items: the map's. */
  readonly id: string;
  readonly action: string | null;
  readonly statusCode: StatusCode;
  readonly status: string | null;
  /** Of items: when the first began. */
  readonly startedAt: Date | null;
  /** Of items: when the last ended. */
  readonly finishedAt: Date | null;
  /** Null: it is one task, and no item. */
  readonly numItems: number | null;
}
