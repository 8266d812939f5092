import type { EdgeDefinition } from '../graph/node-definition.js';
import { below, INTERNAL } from './names.js';
import type { Work } from './plan.js';

/** Tasks of a run that are read when one of it is performed; items' own are left out. */
export interface Needs {
  /** Paths of those whose results are read. */
  readonly outcomes: readonly string[];
  /** Paths of those of which only the status is. */
  readonly statuses: readonly string[];
  /** Whether it wants the input of the run. */
  readonly input: boolean;
}

/**
 * What is worth reading before a task is performed, together with what others need: nodes, and ends of maps and runs, of
 * which there are many. What is not named here is read when it is asked for.
 */
export function needsOf(work: Work): Needs {
  const { scope, path } = work;
  const own = (name: string) => below(path, name);
  const inherited = scope.path === '' ? [] : [below(scope.path, INTERNAL.input)];
  switch (work.role) {
    case 'task':
    case 'input':
      return ofEdges(work, work.node.edges, inherited);
    case 'item': {
      const gate = work.zip.hasGate ? [own(INTERNAL.gate)] : [];
      const items = below(work.zip.root, INTERNAL.items);
      return ofEdges(work, work.node.edges, [...inherited, items], gate);
    }
    case 'join': {
      const items = below(work.zip.root, INTERNAL.items);
      const gate = work.zip.hasGate ? [own(INTERNAL.gate)] : [];
      const over = work.zip.over === null ? [] : [work.zip.over];
      return { outcomes: [items, ...gate], statuses: over, input: false };
    }
    case 'spawn-join':
      return { outcomes: [own(INTERNAL.work)], statuses: [], input: false };
    case 'run':
      return ofRun(work, inherited);
    default:
      return NOTHING;
  }
}

const NOTHING: Needs = Object.freeze({ outcomes: [], statuses: [], input: false });

function ofEdges(
  { scope }: Work,
  edges: readonly EdgeDefinition[],
  outcomes: readonly string[],
  statuses: readonly string[] = [],
): Needs {
  const paths = (isHidden: boolean) =>
    edges.flatMap((edge) =>
      edge.isHidden === isHidden ? edge.nodes.map((id) => below(scope.path, id)) : [],
    );
  return {
    outcomes: [...outcomes, ...paths(false)],
    statuses: [...statuses, ...paths(true)],
    input: scope.path === '',
  };
}

function ofRun(work: Work, inherited: readonly string[]): Needs {
  const { scope } = work;
  const { outcomes, statuses } = ofEdges(work, scope.graph.outputs, inherited);
  const judged = scope.canHandle
    ? [...scope.nodes.keys()].filter((id) => !scope.handled.has(id))
    : scope.sinks.filter((id) => !outcomes.includes(below(scope.path, id)));
  const others = judged.map((id) => below(scope.path, id));
  return { outcomes, statuses: [...statuses, ...others], input: false };
}
