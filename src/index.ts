export type { ConnectOptions } from './connection.js';
export * from './errors.js';
export type { Logger } from './logger.js';
export { connect, Signalbox } from './signalbox.js';
export type { MigrateReport } from './store/install.js';
export type {
  BodySchema,
  CancelOptions,
  HeldTask,
  InsertOptions,
  Json,
  OwnedTask,
  OwnRequest,
  ReadyRequest,
  RerunOptions,
  RetryPolicy,
  ReturnReport,
  RunWhen,
  SignalOptions,
  StatusCode,
  Task,
  TaskFilter,
  TaskInput,
  TaskOutcome,
  TaskReturn,
  TaskReturnOutcome,
  TaskStore,
  Waiter,
  WaitOptions,
} from './store/task-store.js';
