export type { DrainOptions } from './drain.js';
export { drain } from './drain.js';
export { DrainFailedError, DrainLimitError } from './drain-errors.js';
export type { DrainOutcome, DrainReport, DrainResult } from './drain-report.js';
export { ConnectionLostFault, type FaultOptions, Faults, type StoreCall } from './faults.js';
export { startTestDatabase } from './start-test-database.js';
export type { TestClock } from './test-clock.js';
export type { TestDatabase, TestDatabaseOptions } from './test-database.js';
export { withFaults } from './with-faults.js';
