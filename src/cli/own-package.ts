import nodeModule from 'node:module';

/** This package, as those who use it import it. */
export const OWN_PACKAGE = 'signalbox';
export const OWN_URL = new URL('../index.js', import.meta.url).href;

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

type Resolve = (
  specifier: string,
  context: object,
  next: (specifier: string, context: object) => Resolved,
) => Resolved;

let isDone = false;

/**
 * From now on `import 'signalbox'` gives this very copy, in every module that Node itself loads: also where the module's own
 * project has another one, or none. Errors and graphs are then recognised by whoever performs them.
 */
export function shareOwnPackage(): void {
  if (isDone) return;
  isDone = true;
  const resolve: Resolve = (specifier, context, next) =>
    specifier === OWN_PACKAGE ? { url: OWN_URL, shortCircuit: true } : next(specifier, context);
  if (hasHooks(nodeModule)) nodeModule.registerHooks({ resolve });
  // Before Node 22.15: in a thread of the loader, which has nothing of ours.
  else nodeModule.register(`data:text/javascript,${encodeURIComponent(LOADER)}`);
}

const LOADER = `export const resolve = (specifier, context, next) =>
  specifier === ${JSON.stringify(OWN_PACKAGE)}
    ? { url: ${JSON.stringify(OWN_URL)}, shortCircuit: true }
    : next(specifier, context);`;

function hasHooks(
  value: object,
): value is { registerHooks(hooks: { readonly resolve: Resolve }): unknown } {
  return 'registerHooks' in value && typeof value.registerHooks === 'function';
}
