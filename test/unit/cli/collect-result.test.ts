import { expect, test } from 'vitest';
import { collectResult } from '../../../src/cli/collect-result.js';
import { CollectedRows } from '../../../src/run/collected-rows.js';

function collected(count: number): CollectedRows {
  const store = {
    getOutcomes: async (ids: readonly string[]) =>
      ids.map((id) => ({
        id,
        statusCode: 'completed' as const,
        status: null,
        result: Number(id.slice(2)),
      })),
  };
  return new CollectedRows(store, { '~collected': 'm', total: count, count });
}

test('collections anywhere become arrays, cut at the limit and said to be', async () => {
  const outputs = { a: 1, none: null, few: collected(2), sub: { list: [collected(5)] } };
  expect(await collectResult(outputs, 3)).toEqual({
    result: { a: 1, none: null, few: [0, 1], sub: { list: [[0, 1, 2]] } },
    cut: [{ path: '/sub/list/0', shown: 3, total: 5 }],
  });
});
