import { expect, test } from 'vitest';
import { alignRows } from '../../../src/cli/table.js';

async function* rowsOf(count: number, longest: number): AsyncGenerator<string[]> {
  for (let i = 1; i <= count; i++) yield ['x'.repeat(i === longest ? 5 : 1), String(i)];
}

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test('alignRows widens columns to their cells and ends no line in spaces', async () => {
  const lines = await linesOf(alignRows(['A', 'B'], rowsOf(2, 1)));
  expect(lines).toEqual(['A      B', 'xxxxx  1', 'x      2']);
});

test('alignRows gives the header where there are no rows', async () => {
  expect(await linesOf(alignRows(['ID', 'B'], rowsOf(0, 0)))).toEqual(['ID  B']);
});

test('alignRows lets a late long cell push its own line out, losing none', async () => {
  const lines = await linesOf(alignRows(['A', 'B'], rowsOf(1_200, 1_100)));
  expect(lines).toHaveLength(1_201);
  expect(lines[1_100]).toBe('xxxxx  1100');
  expect(lines[1_200]).toBe('x  1200');
});
