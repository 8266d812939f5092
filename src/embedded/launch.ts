import type { Binaries } from './binaries.js';
import type { DeathGuard } from './death-guard.js';
import type { EmbeddedLogger, EmbeddedSettings } from './options.js';
import type { RunAs } from './run-as.js';

/** All that is settled before a server is started. */
export interface Launch {
  readonly binaries: Binaries;
  readonly guard: DeathGuard;
  readonly runAs: RunAs | null;
  /** The tag of this process. */
  readonly owner: string;
  /** Folder for run directories. */
  readonly tempFolder: string;
  readonly port: number | undefined;
  readonly settings: EmbeddedSettings;
  readonly hasOwnSettings: boolean;
  readonly logger: EmbeddedLogger;
  readonly startTimeoutMs: number;
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly deadline: number;
}
