import { UsageError } from './cli-errors.js';

/** What `signalbox run` is told. */
export interface RunOptions {
  readonly actor?: string[];
  readonly exec?: boolean;
  readonly speedUp?: number;
  readonly graph?: string;
  readonly input?: string;
  readonly handlers?: string[];
  readonly watch?: boolean;
  readonly detach?: boolean;
  readonly runId?: string;
  readonly fresh?: boolean;
  readonly workers: number;
  readonly timeout?: number;
  readonly maxDuration: number;
  readonly drain?: number;
}

type Name = keyof RunOptions;

const FLAGS: Readonly<Partial<Record<Name, string>>> = { speedUp: '--speed-up' };

export const TASK_OPTIONS: readonly Name[] = ['actor', 'exec', 'speedUp'];
export const GRAPH_OPTIONS: readonly Name[] = ['graph', 'input', 'handlers', 'watch', 'detach'];

/** UsageError for the first option that means nothing to what is run. */
export function refuseOptions(options: RunOptions, names: readonly Name[], what: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  throw new UsageError(
    `${FLAGS[given] ?? `--${given}`} means nothing to ${what}. See signalbox run --help for what does.`,
  );
}
