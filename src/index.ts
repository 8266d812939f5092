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
export type { Logger } from './logger.js';
export { GraphActor, type GraphActorOptions } from './run/graph-actor.js';
export { type GraphWorkerOptions, graphWorker } from './run/graph-worker.js';
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
export { openRun, type StartOptions, startRun } from './run/start-run.js';
export { connect, Signalbox } from './signalbox.js';
export type { MigrateReport } from './store/install.js';
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
