export type { EmbeddedServer } from './embedded-server.js';
export { EmbeddedServerError, type EmbeddedServerFailure } from './embedded-server-error.js';
export type { EmbeddedLogger, EmbeddedSettings, StartEmbeddedOptions } from './options.js';
export { startEmbedded } from './start-embedded.js';
