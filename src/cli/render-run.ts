import type { Progress } from '../graph/context.js';
import { pathsAbove } from '../run/names.js';
import type { RunNode, RunTree } from '../run/run-tree.js';
import type { StatusCode } from '../store/task-store.js';
import { formatDuration } from './duration.js';
import { etaMs, formatCount } from './progress-text.js';
import { countItems, countNodes } from './run-counts.js';
import { hasEnded } from './run-report.js';

/** A node, with what its handler has said of how far it is, where that is known. */
export type ShownNode = RunNode & { readonly progress?: Progress | undefined };

export interface Screen {
  readonly nowMs: number;
  readonly columns: number;
  /** Lines that there are; the last one is left free. Infinity: all nodes are shown. */
  readonly rows: number;
  /** How many items, or steps, a second a node does, by its path. */
  readonly rates: ReadonlyMap<string, number>;
}

type State = StatusCode | 'waiting';

const MARKS: Readonly<Record<State, string>> = {
  pending: '·',
  waiting: '…',
  'in-progress': '▸',
  completed: '✓',
  aborted: '✗',
  cancelled: '✗',
  skipped: '–',
};

/** Which nodes are shown where not all can be: the first of these. */
const URGENCY: readonly State[] = [
  'aborted',
  'cancelled',
  'in-progress',
  'waiting',
  'pending',
  'skipped',
  'completed',
];

const BAR_CELLS = 12;
const MAX_LABEL = 48;
/** The line of the run, and the one that is left free. */
const OTHER_LINES = 2;

/** How a run stands, a line for each node below one for the run; no line is longer, nor are there more, than the screen has. */
export function renderRun(tree: RunTree, screen: Screen): string[] {
  const room = Math.max(0, screen.rows - OTHER_LINES);
  const isCut = tree.nodes.length > room;
  const shown = isCut ? mostUrgent(tree.nodes, room - 1) : tree.nodes;
  const paths = new Set(shown.map(({ node }) => node));
  const rows = shown.map((node) => toRow(node, paths, screen));
  const rest = isCut && room > 0 ? [restOf(tree.nodes, shown)] : [];
  const lines = [headOf(tree, screen), ...align(rows), ...rest];
  return lines.map((line) => cut(line, screen.columns - 1));
}

function headOf(tree: RunTree, { nowMs }: Screen): string {
  const { done, total, failed } = countNodes(tree);
  const parts = [tree.id, tree.statusCode, durationOf(tree, nowMs)];
  parts.push(`${formatCount(done)}/${formatCount(total)} done`);
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  return clean(parts.filter((part) => part !== '').join('  '));
}

function mostUrgent(nodes: readonly RunNode[], count: number): RunNode[] {
  const urgency = (node: RunNode) => URGENCY.indexOf(stateOf(node));
  const chosen = new Set(
    [...nodes].sort((a, b) => urgency(a) - urgency(b)).slice(0, Math.max(0, count)),
  );
  return nodes.filter((node) => chosen.has(node));
}

function restOf(nodes: readonly RunNode[], shown: readonly RunNode[]): string {
  const chosen = new Set(shown);
  const hidden = nodes.filter((node) => !chosen.has(node)).map(stateOf);
  const counts = URGENCY.flatMap((state) => {
    const count = hidden.filter((one) => one === state).length;
    return count > 0 ? [`${formatCount(count)} more ${state}`] : [];
  });
  return `  ${counts.join(', ')}`;
}

/** What began and is pending again waits: for the next try, or for what comes from outside. */
function stateOf({ statusCode, startedAt }: RunNode): State {
  return statusCode === 'pending' && startedAt !== null ? 'waiting' : statusCode;
}

type Row = readonly [label: string, state: string, duration: string, remark: string];

function toRow(node: ShownNode, shown: ReadonlySet<string>, screen: Screen): Row {
  const above = pathsAbove(node.node).filter((path) => shown.has(path));
  const nearest = above.at(-1);
  const name = nearest === undefined ? node.node : node.node.slice(nearest.length + 1);
  const indent = '  '.repeat(above.length);
  const state = stateOf(node);
  const label = `${indent}${MARKS[state]} ${name.replaceAll('~spawned/', 'spawned ')}`;
  return [
    cut(clean(label), MAX_LABEL),
    state,
    durationOf(node, screen.nowMs),
    remarkOf(node, screen),
  ];
}

function durationOf(
  { statusCode, startedAt, finishedAt }: Pick<RunNode, 'statusCode' | 'startedAt' | 'finishedAt'>,
  nowMs: number,
): string {
  if (startedAt === null || statusCode === 'skipped') return '';
  // The clock of the database may be ahead of ours.
  return formatDuration(Math.max(0, (finishedAt?.getTime() ?? nowMs) - startedAt.getTime()));
}

function remarkOf(node: ShownNode, { rates }: Screen): string {
  const remark = hasEnded(node) && node.status !== null ? [clean(node.status)] : [];
  const rate = rates.get(node.node) ?? 0;
  if (node.items) return [...itemsOf(node.items, rate), ...remark].join('  ');
  if (node.progress && !hasEnded(node)) return progressOf(node.progress, rate).join('  ');
  return remark.join('');
}

function itemsOf(items: NonNullable<RunNode['items']>, rate: number): string[] {
  const { done, failed, total } = countItems(items);
  if (total === 0) return [];
  return [...stepsOf(done, total, rate), ...(failed > 0 ? [`${formatCount(failed)} failed`] : [])];
}

function progressOf({ done, total, message }: Progress, rate: number): string[] {
  const steps = total === undefined ? [formatCount(done)] : stepsOf(done, total, rate);
  return message === undefined ? steps : [...steps, clean(message)];
}

function stepsOf(done: number, total: number, rate: number): string[] {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const filled = Math.floor(share * BAR_CELLS);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_CELLS - filled)}]`;
  const eta = etaMs({ done, failed: 0, total }, rate);
  return [
    `${bar} ${formatCount(done)}/${formatCount(total)}`,
    `${Math.floor(100 * share)}%`,
    ...(eta === null ? [] : [`ETA ${formatDuration(eta)}`]),
  ];
}

function align(rows: readonly Row[]): string[] {
  const width = (column: number) =>
    rows.reduce((max, row) => Math.max(max, row[column]?.length ?? 0), 0);
  const widths = [width(0), width(1), width(2)];
  return rows.map(([label, state, duration, remark]) =>
    [
      label.padEnd(widths[0] ?? 0),
      state.padEnd(widths[1] ?? 0),
      duration.padStart(widths[2] ?? 0),
      remark,
    ]
      .join('  ')
      .trimEnd(),
  );
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}

/** What a terminal might obey, and line breaks, become spaces. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
