export type { ConnectOptions } from './connection.js';
export * from './errors.js';
export type { Logger } from './logger.js';
export { type InspectOptions, inspect, type StuckTask } from './maintain/inspect.js';
export { type MaintenanceOptions, maintenanceActor } from './maintain/maintenance-actor.js';
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
export { ActionManager } from './worker/action-manager.js';
export type {
  ActionContext,
  ActionDefinition,
  ActionHandler,
  ActionSettings,
  Actor,
  ActorResult,
  ManualActor,
  ReturnedHook,
  ReturnedOutcome,
} from './worker/actor.js';
export { type DefinedActor, defineActor } from './worker/define-actor.js';
export type { ManagerCall, ManagerEvents } from './worker/manager-events.js';
export type { ManagerOptions } from './worker/manager-options.js';
export type { ManagerStats } from './worker/manager-stats.js';
export type { ManualJob } from './worker/manual-job.js';
export type { JobsOptions } from './worker/manual-jobs.js';
export { deadline } from './worker/middleware/deadline.js';
export { logTasks } from './worker/middleware/log-tasks.js';
export type { Middleware } from './worker/middleware/middleware.js';
export { observeTasks, type TaskObservation } from './worker/middleware/observe-tasks.js';
export { DEFAULT_MAX_TRIES, DEFAULT_RETRY } from './worker/outcome-rules.js';
export { PREFETCH } from './worker/pace.js';
export * from './worker/worker-errors.js';
