const SAMPLE_ROWS = 500;
const GAP = '  ';

/**
 * Rows as lines with aligned columns, in constant memory: the widths are those of the header and the first
 * 500 rows, and a later cell that is longer pushes its line out.
 */
export async function* alignRows(
  header: readonly string[],
  rows: AsyncIterable<readonly string[]>,
): AsyncGenerator<string, void> {
  const sample: (readonly string[])[] = [header];
  let widths: number[] | undefined;
  for await (const row of rows) {
    if (widths) {
      yield alignRow(row, widths);
    } else if (sample.push(row) > SAMPLE_ROWS) {
      widths = widthsOf(sample);
      for (const kept of sample) yield alignRow(kept, widths);
    }
  }
  if (widths) return;
  const all = widthsOf(sample);
  for (const kept of sample) yield alignRow(kept, all);
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const [header = []] = rows;
  return header.map((_, column) =>
    rows.reduce((max, row) => Math.max(max, row[column]?.length ?? 0), 0),
  );
}

/** The last column is not padded, so that no line ends in spaces. */
function alignRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
    .join(GAP)
    .trimEnd();
}
