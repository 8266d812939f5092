import type { GraphDefinition } from '../graph/node-definition.js';
import { validateValue } from '../graph/validate-value.js';
import type { Json } from '../store/task-store.js';

/** What the nodes of a run get for `input`, made of what the run is started with. InvalidValueError. */
export async function toRunInput(
  graph: GraphDefinition,
  input: unknown,
): Promise<Json | undefined> {
  if (graph.input === null) return toJson(input);
  const subject = `input of graph ${JSON.stringify(graph.name)}`;
  return toJson(await validateValue(graph.input, input, subject));
}

/** As it will be read: what JSON drops is dropped now, so that inputs can be compared. */
export function toJson(input: unknown): Json | undefined {
  const text = JSON.stringify(input);
  return text === undefined ? undefined : JSON.parse(text);
}
