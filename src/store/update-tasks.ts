import { InvalidOptionError, InvalidTaskError } from '../errors.js';
import type { BodySchemas } from './body-schemas.js';
import { bodyText } from './body-text.js';
import type { Query } from './database.js';
import type { TaskUpdate } from './task-store.js';
import { checkFieldNames, checkIsNamed, checkPriority, checkTime } from './validate-task.js';

const UPDATE_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'body',
  'priority',
  'startAfter',
] satisfies (keyof TaskUpdate)[]);

/** Changes pending tasks, all or none. */
export async function updateTasks(
  query: Query,
  updates: readonly TaskUpdate[],
  bodySchemas: BodySchemas,
): Promise<void> {
  checkUpdates(updates);
  if (updates.length === 0) return;
  const bodies = updates.map(({ id, body }) => bodyText(id, body));
  await validateBodies(query, updates, bodySchemas);
  await query('select signalbox.update_tasks($1, $2, $3, $4, $5, $6)', [
    updates.map(({ id }) => id),
    bodies,
    updates.map(({ body }) => body !== undefined),
    updates.map(({ priority }) => priority ?? null),
    updates.map(({ startAfter }) => startAfter ?? null),
    updates.map(({ startAfter }) => startAfter !== undefined),
  ]);
}

function checkUpdates(updates: readonly TaskUpdate[]): void {
  if (!Array.isArray(updates)) throw new InvalidOptionError('updates', 'must be an array');
  const seen = new Set<string>();
  for (const [ordinal, update] of updates.entries()) {
    checkIsNamed(update, ordinal, 'update');
    const { id, priority, startAfter } = update;
    checkFieldNames(id, '', update, UPDATE_FIELDS);
    if (seen.has(id)) throw new InvalidTaskError(id, 'id', 'occurs twice; give a task one update');
    seen.add(id);
    checkPriority(id, priority);
    if (startAfter !== undefined && startAfter !== null) checkTime(id, 'startAfter', startAfter);
  }
}

/**
 * Which schema a body must fit is known here alone, the task's action in the database alone: so the actions are read
 * first. They never change. Tasks that are not there are left to update_tasks to name.
 */
async function validateBodies(
  query: Query,
  updates: readonly TaskUpdate[],
  bodySchemas: BodySchemas,
): Promise<void> {
  const withBody = updates.filter(({ body }) => body !== undefined);
  if (withBody.length === 0) return;
  const rows = await query('select t.id, t.action from signalbox.get_tasks($1) t', [
    withBody.map(({ id }) => id),
  ]);
  const actions = new Map(rows.map(([id, action]) => [id, action]));
  for (const { id, body } of withBody) {
    const action = actions.get(id);
    if (action != null) bodySchemas.validate(action, id, body);
  }
}
