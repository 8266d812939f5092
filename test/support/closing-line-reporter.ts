import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** A file that failed without a failed test (it did not load, a hook threw) counts as one failure of its own. */
function countModule(module: TestModule, tally: Tally): void {
  const failedBefore = tally.failed;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') tally.passed += 1;
    else if (state === 'failed') tally.failed += 1;
    else tally.skipped += 1;
  }
  if (!module.ok() && tally.failed === failedBefore) tally.failed += 1;
}

/**
 * Ends a run with one line, `N passed, N failed, N skipped`, that counts tests. Whatever else makes a run
 * fail counts as failed too, so the line says `0 failed` for successful runs only.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const tally: Tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) countModule(module, tally);
    if (reason !== 'passed' && tally.failed === 0) tally.failed = 1;
    console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  }
}
