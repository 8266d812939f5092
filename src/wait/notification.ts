/** What a notification on a hub's channel asks for. */
type Notification =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ended'; readonly ids: readonly string[] }
  | { readonly kind: 'unknown-ends' };

/**
 * Reads a payload: `ready`, or a JSON array of the ids that have ended or been deleted.
 *
 * An empty array, and anything that cannot be read, means that ends are not known one by one: asking for
 * everything awaited costs a query, ignoring a newer version's message could cost an end.
 */
export function parseNotification(payload: string): Notification {
  if (payload === 'ready') return { kind: 'ready' };
  const ids = parseIds(payload);
  return ids.length > 0 ? { kind: 'ended', ids } : { kind: 'unknown-ends' };
}

function parseIds(payload: string): string[] {
  try {
    const parsed: unknown = JSON.parse(payload);
    if (Array.isArray(parsed) && parsed.every((id) => typeof id === 'string')) return parsed;
  } catch {
    // Not JSON: the same as no ids.
  }
  return [];
}
