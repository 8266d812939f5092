import { InvalidOptionError } from '../errors.js';

/** Where the launcher reports what a caller cannot see otherwise; `console` and pino loggers fit. */
export interface EmbeddedLogger {
  debug(message: string): void;
  warn(message: string): void;
}

/** Postgres settings by name, passed as `-c name=value`. Booleans become `on` and `off`. */
export type EmbeddedSettings = Readonly<Record<string, string | number | boolean>>;

export interface StartEmbeddedOptions {
  /**
   * Directory of the cluster (PGDATA), created on first use and kept. Default: a temporary cluster, removed
   * at `stop()`.
   */
  readonly dataDir?: string;
  /**
   * Also listen on 127.0.0.1 at this port, 1 to 65535, and give a TCP connection string. Every user of this
   * machine can then connect without a password. Default: no TCP, only a socket in a private directory.
   */
  readonly port?: number;
  /** Overrides of the server's settings. Ignored, with a warning, when a running server is adopted. */
  readonly settings?: EmbeddedSettings;
  /** Default: silent. */
  readonly logger?: EmbeddedLogger;
  /** How long a start may take, crash recovery included, in milliseconds. Default: 60,000. */
  readonly startTimeoutMs?: number;
}

const DEFAULT_START_TIMEOUT_MS = 60_000;

const SILENT: EmbeddedLogger = Object.freeze({ debug() {}, warn() {} });

const DEFAULT_SETTINGS: EmbeddedSettings = Object.freeze({
  max_connections: 200,
  shared_buffers: '128MB',
  max_wal_size: '2GB',
});

/**
 * What a crash of the machine may cost is data that nobody wants back: a temporary cluster is never started
 * twice.
 */
const THROWAWAY_SETTINGS: EmbeddedSettings = Object.freeze({
  fsync: false,
  synchronous_commit: false,
  full_page_writes: false,
});

/** Settings that decide where the server is found; each is derived from the option named here. */
const RESERVED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['data_directory', 'the option dataDir'],
  ['listen_addresses', 'the option port'],
  ['port', 'the option port'],
  ['unix_socket_directories', 'nothing: the launcher chooses it'],
]);

export interface CheckedOptions {
  readonly dataDir: string | undefined;
  readonly port: number | undefined;
  readonly settings: EmbeddedSettings;
  readonly hasOwnSettings: boolean;
  readonly logger: EmbeddedLogger;
  readonly startTimeoutMs: number;
}

function checkSettings(settings: EmbeddedSettings): void {
  for (const name of Object.keys(settings)) {
    const instead = RESERVED_SETTINGS.get(name.toLowerCase());
    if (instead !== undefined) {
      throw new InvalidOptionError(`settings.${name}`, `cannot be set here; use ${instead}`);
    }
  }
}

/** Checks the options and fills in the defaults; the caller's settings win over ours. Throws InvalidOptionError. */
export function checkOptions(options: StartEmbeddedOptions): CheckedOptions {
  const { dataDir, port, settings = {}, logger = SILENT } = options;
  const { startTimeoutMs = DEFAULT_START_TIMEOUT_MS } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new InvalidOptionError('port', `is ${port}; it must be an integer from 1 to 65535`);
  }
  if (dataDir === '') {
    throw new InvalidOptionError('dataDir', 'is empty; leave it out for a temporary cluster');
  }
  checkSettings(settings);
  const throwaway = dataDir === undefined ? THROWAWAY_SETTINGS : {};
  return {
    dataDir,
    port,
    settings: { ...DEFAULT_SETTINGS, ...throwaway, ...settings },
    hasOwnSettings: Object.keys(settings).length > 0,
    logger,
    startTimeoutMs,
  };
}
