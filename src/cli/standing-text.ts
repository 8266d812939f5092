import type { TaskStanding, WaitReason } from '../store/task-store.js';
import { formatDuration } from './duration.js';
import { countOf, formatCount } from './progress-text.js';

type Reason<Kind extends WaitReason['kind']> = Extract<WaitReason, { readonly kind: Kind }>;

/** How a task stands, in sentences that a person can act on, a line each. */
export function formatStanding(standing: TaskStanding, nowMs: number): string[] {
  const { id, statusCode, reasons } = standing;
  return [
    `${id} is ${statusCode}.`,
    ...reasons.flatMap((reason) => formatReason(reason, nowMs).map((line) => `  ${line}`)),
  ];
}

function formatReason(reason: WaitReason, nowMs: number): string[] {
  switch (reason.kind) {
    case 'signals':
      return formatSignals(reason, nowMs);
    case 'ended':
      return [reason.status ? `It ended: ${reason.status}` : 'It has ended; nothing more happens.'];
    case 'outside-signals':
      return [
        `It waits for ${countOf(reason.missing, 'signal')} that no unfinished task will give: give it with signalTasks, or cancel it.`,
      ];
    case 'start-time':
      return [formatStartTime(reason, nowMs)];
    case 'owned':
      return [formatOwned(reason, nowMs)];
    case 'paused':
      return [formatPaused(reason)];
    case 'limit':
      return [
        `Limit key ${reason.key} allows ${formatCount(reason.limit)} at once, and ${formatCount(reason.inProgress)} are being performed: it goes on when one ends, or the limit is raised.`,
      ];
    case 'rate':
      return [
        `Limit key ${reason.key} allows ${formatCount(reason.rate.count)} in ${formatDuration(reason.rate.intervalMs)}, which are used up until ${formatTime(reason.until, nowMs)}.`,
      ];
    case 'no-worker':
      return [
        `No live worker performs ${reason.action} in queue ${reason.queue}: start one, or see signalbox workers.`,
      ];
    case 'ready':
      return [formatReady(reason)];
    case 'engine':
      return ['The engine moves it on as soon as any worker asks for tasks.'];
  }
}

function formatSignals({ missing, from, roots }: Reason<'signals'>, nowMs: number): string[] {
  const rest = missing - from.length;
  const names = from.join(', ') + (rest > 0 ? ` and ${formatCount(rest)} more` : '');
  const first = `It waits for ${countOf(missing, 'signal')}, from ${names}.`;
  if (roots.length === 0) {
    return [first, 'They wait for each other in a circle: cancel or delete one of them.'];
  }
  const held = roots.flatMap((root) => formatStanding(root, nowMs)).map((line) => `  ${line}`);
  return [first, 'What holds it up:', ...held];
}

function formatStartTime({ at, isRetry }: Reason<'start-time'>, nowMs: number): string {
  return `${isRetry ? 'It is tried again' : 'It is not to start before'} ${formatTime(at, nowMs)}.`;
}

function formatOwned({ actorId, deadline, isBegun }: Reason<'owned'>, nowMs: number): string {
  const who = actorId ?? 'an actor without a name';
  const what = isBegun ? `${who} performs it` : `${who} has taken it and not begun yet`;
  if (deadline === null) return `${what}; its ownership never lapses.`;
  return deadline.getTime() < nowMs
    ? `${what}; its deadline passed ${formatTime(deadline, nowMs)}: it comes back when a worker asks for tasks.`
    : `${what}; it comes back ${formatTime(deadline, nowMs)} unless the ownership is extended.`;
}

function formatPaused({ queue, action, since }: Reason<'paused'>): string {
  const options = [
    ...(queue === null ? [] : [`--queue ${queue}`]),
    ...(action === null ? [] : [`--action ${action}`]),
  ].join(' ');
  return `It is paused since ${since.toISOString()}: signalbox resume ${options}.`;
}

function formatReady({ numBefore }: Reason<'ready'>): string {
  return numBefore === 0
    ? 'It is ready, the first in its lane.'
    : `It is ready, with ${countOf(numBefore, 'task')} before it in its lane.`;
}

function formatTime(time: Date, nowMs: number): string {
  const ms = time.getTime() - nowMs;
  const distance = formatDuration(Math.abs(ms));
  return `${time.toISOString()} (${ms < 0 ? `${distance} ago` : `in ${distance}`})`;
}
