import { type Graph, isGraph } from '../graph/definition.js';
import { UsageError } from './cli-errors.js';
import { type Exports, loadModule } from './load-module.js';

export type AnyGraph = Graph<unknown, unknown>;

/** The graphs that a module exports, by any name or within arrays; the default export comes first. */
export function graphsOf({ default: byDefault, ...others }: Exports): AnyGraph[] {
  const values = [byDefault, ...Object.values(others)].flat();
  return [...new Set(values.filter(isGraph))];
}

export interface ChosenGraph {
  readonly graph: AnyGraph;
  /** All of the module: runs of one may spawn runs of another. */
  readonly graphs: readonly AnyGraph[];
}

/** The graph of a module: see `chooseGraph`. UsageError. */
export async function loadGraph(path: string, name: string | undefined): Promise<ChosenGraph> {
  return chooseGraph(await loadModule(path), path, name);
}

/** By name (`etl`, or `etl@3`), else the default export, else the only one. UsageError, which lists those that there are. */
export function chooseGraph(exports: Exports, path: string, name?: string): ChosenGraph {
  const graphs = graphsOf(exports);
  if (graphs.length === 0) {
    throw new UsageError(
      `${path} exports no graph. Export what outputs() returns: export default g.outputs({ ... }).`,
    );
  }
  const fitting = name === undefined ? preferred(exports, graphs) : named(graphs, name);
  const [graph] = fitting;
  if (graph && fitting.length === 1) return { graph, graphs };
  const known = graphs.map((one) => `${one.name}@${one.version}`).join(', ');
  throw new UsageError(
    name === undefined
      ? `${path} exports several graphs: ${known}. Choose one with --graph NAME, or export one by default.`
      : `${path} exports ${graph ? 'several graphs' : 'no graph'} of the name ${JSON.stringify(name)}. Those that it exports: ${known}.`,
  );
}

function preferred({ default: byDefault }: Exports, graphs: readonly AnyGraph[]): AnyGraph[] {
  return isGraph(byDefault) ? [byDefault] : [...graphs];
}

function named(graphs: readonly AnyGraph[], name: string): AnyGraph[] {
  return graphs.filter((one) => name === one.name || name === `${one.name}@${one.version}`);
}
