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
export { ActionManager, type ManagerOptions } from './worker/action-manager.js';
export {
  type ActionContext,
  type ActionDefinition,
  type ActionHandler,
  type ActionSettings,
  type Actor,
  type ActorResult,
  defineActor,
} from './worker/actor.js';
