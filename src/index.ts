export type { ConnectOptions } from './connection.js';
export * from './errors.js';
export { type Builder, type GraphOptions, graph } from './graph/builder.js';
export type { GraphContext, MapContext, Progress, TaskContext } from './graph/context.js';
export type { Graph, InputOf, OutputOf } from './graph/definition.js';
export type { DrawOptions, NodeState } from './graph/drawing.js';
export {
  anyOf,
  type Dependencies,
  type DepValues,
  type Edge,
  type EdgeMode,
  type Failure,
  onFailure,
  optional,
  orderOnly,
  type Settled,
  settled,
} from './graph/edges.js';
export { ForeignNodeError, InvalidGraphError, InvalidValueError } from './graph/graph-errors.js';
export type { Collected, EventNode, Node, NodeKind } from './graph/node.js';
export type { EdgeDefinition, GraphDefinition, NodeDefinition } from './graph/node-definition.js';
export {
  type ActionRef,
  type EventOptions,
  type FailAfter,
  handledBy,
  type MapOptions,
  type TaskOptions,
} from './graph/node-options.js';
export { type JsonSchema, type Schema, type StandardSchema, typed } from './graph/schema.js';
export type { Spawn, SpawnableGraph, SpawnedRun, SpawnOptions, Spawns } from './graph/spawn.js';
export type { Logger } from './logger.js';
export { type InspectOptions, inspect, type StuckTask } from './maintain/inspect.js';
export { type MaintenanceOptions, maintenanceActor } from './maintain/maintenance-actor.js';
export type { Namespace } from './namespace.js';
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
export { cancelRun } from './run/cancel-run.js';
export { GraphActor, type GraphActorOptions } from './run/graph-actor.js';
export { type GraphWorkerOptions, graphWorker } from './run/graph-worker.js';
export { type ListRunsFilter, listRuns, type RunSummary } from './run/list-runs.js';
export type { NodeHandler } from './run/performing.js';
export type { RerunOptions as RunRerunOptions, RerunPreview } from './run/rerun.js';
export { Run } from './run/run.js';
export {
  type NodeFailure,
  RunCancelledError,
  RunExistsError,
  RunFailedError,
  RunInputMismatchError,
  UnknownNodeError,
} from './run/run-errors.js';
export type { EventOptions as RunEventOptions, RunEvent } from './run/run-events.js';
export type { NodeStatus, RunStatus, StatusCounts } from './run/run-status.js';
export { type RunSettings, runTasks } from './run/run-tasks.js';
export { type RunNode, type RunTree, readRunTree } from './run/run-tree.js';
export { scheduledRun, scheduledRunId } from './run/scheduled-run.js';
export { openRun, type StartArguments, type StartOptions, startRun } from './run/start-run.js';
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
  OutcomeOptions,
  OwnedTask,
  OwnRequest,
  Pause,
  PollStrategy,
  ProgressReport,
  PurgeOptions,
  Rate,
  ReadyRequest,
  RerunOptions,
  RetryPolicy,
  ReturnReport,
  RunFilter,
  RunPart,
  RunRow,
  RunWhen,
  SignalOptions,
  SizeOptions,
  StatusCode,
  Task,
  TaskBody,
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
