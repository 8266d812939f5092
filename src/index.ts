export type { ConnectOptions } from './connection.js';
export * from './errors.js';
export type { Logger } from './logger.js';
export type { AttemptContext, PoolFunction } from './pool/attempt.js';
export type { BackoffPolicy } from './pool/backoff.js';
export type { Clock } from './pool/clock.js';
export {
  PoolStoppedError,
  PoolTaskCancelledError,
  PoolTaskError,
  PoolTaskTimeoutError,
} from './pool/pool-errors.js';
export type { PoolTaskOptions } from './pool/pool-task-options.js';
export type { PooledTask } from './pool/pooled-task.js';
export { TaskPool, type TaskPoolOptions } from './pool/task-pool.js';
export { Scheduler, type SchedulerOptions } from './schedule/scheduler.js';
export { connect, Signalbox } from './signalbox.js';
export type { MigrateReport } from './store/install.js';
export {
  InvalidScheduleError,
  ScheduleBusyError,
  ScheduleNotFoundError,
} from './store/schedule-errors.js';
export type {
  CatchUp,
  FireReport,
  Schedule,
  ScheduleFailure,
  ScheduleInput,
  ScheduleRule,
  ScheduleStore,
  ScheduleTask,
} from './store/schedule-store.js';
export type {
  Attempt,
  BodySchema,
  CancelOptions,
  CleanOptions,
  DeleteOptions,
  GetOptions,
  HeldTask,
  InsertOptions,
  Json,
  LaneFilter,
  LimitSlots,
  Limits,
  LiveWorker,
  OwnedTask,
  OwnRequest,
  Pause,
  PollStrategy,
  PurgeOptions,
  Rate,
  ReadyRequest,
  RerunOptions,
  RetryPolicy,
  ReturnReport,
  RunWhen,
  SignalOptions,
  StatusCode,
  Task,
  TaskCount,
  TaskFilter,
  TaskInput,
  TaskOutcome,
  TaskReturn,
  TaskReturnOutcome,
  TaskStanding,
  TaskStore,
  TaskUpdate,
  Waiter,
  WaitOptions,
  WaitReason,
  WorkerInfo,
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
