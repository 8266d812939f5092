import type { StatusCode, TaskStore } from '../store/task-store.js';
import { parseRunAction } from './names.js';

export interface ListRunsFilter {
  /** Only of the graph of this name, whatever its version. */
  readonly graph?: string | undefined;
  /** A run is pending until all its nodes have ended. */
  readonly statusCodes?: readonly StatusCode[] | undefined;
  /** At most so many. Default 100. */
  readonly limit?: number | undefined;
}

/** A run in a list. */
export interface RunSummary {
  /** `<graph>/<runId>`. */
  readonly id: string;
  readonly graph: string;
  readonly version: number;
  readonly statusCode: StatusCode;
  readonly status: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** Runs that were started, of any graph or of one, the newest first; what is below a run is neither given nor read. */
export async function listRuns(
  store: Pick<TaskStore, 'listRuns'>,
  { graph, statusCodes, limit }: ListRunsFilter = {},
): Promise<RunSummary[]> {
  const rows = await store.listRuns({
    ...(graph === undefined ? {} : { idPrefix: `${graph}/` }),
    ...(statusCodes === undefined ? {} : { statusCodes }),
    ...(limit === undefined ? {} : { limit }),
  });
  return rows.flatMap(({ action, ...run }) => {
    const named = parseRunAction(action);
    return named ? [{ ...run, ...named }] : [];
  });
}
