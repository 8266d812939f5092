/**
 * The code of an error from the operating system, from Node or from Postgres (`ENOENT`, `57P03`); '' if it
 * has none.
 */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** Runs `action`; gives `fallback` when it fails with one of `codes`. */
export async function unlessCode<Result, Fallback>(
  codes: readonly string[],
  fallback: Fallback,
  action: () => Promise<Result>,
): Promise<Result | Fallback> {
  try {
    return await action();
  } catch (error) {
    if (codes.includes(errorCode(error))) return fallback;
    throw error;
  }
}
