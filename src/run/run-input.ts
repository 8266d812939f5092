import type { GraphDefinition } from '../graph/node-definition.js';
import { validateValue } from '../graph/validate-value.js';
import type { Json } from '../store/task-store.js';

/**
 * What a run is started with, as it will be read: validated, and without what JSON drops, so that inputs can be
 * compared. InvalidValueError.
 */
export async function runInput(graph: GraphDefinition, input: unknown): Promise<Json | undefined> {
  const subject = `input of graph ${JSON.stringify(graph.name)}`;
  const value = graph.input === null ? input : await validateValue(graph.input, input, subject);
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
