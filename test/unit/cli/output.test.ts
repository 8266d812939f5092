import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.js';

function outputUnderTest() {
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), {
    isTTY: true,
    columns: 10,
    rows: 3,
  });
  const output = new Output({ stdout: new PassThrough(), stderr, isJson: false });
  return { output, written: () => String(stderr.read() ?? '') };
}

test('lines drawn in place are drawn over, and give way to what is said', () => {
  const { output, written } = outputUnderTest();
  output.showTransientLines(['one', 'two']);
  expect(written()).toBe('\r\u001b[2Kone\ntwo');
  output.showTransientLines(['three']);
  expect(written()).toBe('\r\u001b[1A\u001b[Jthree');
  output.note('a remark');
  expect(written()).toBe('\r\u001b[2Ka remark\n');
  output.clearTransient();
  expect(written()).toBe('');
});

test('never more lines are drawn than the terminal has, nor longer ones', () => {
  const { output, written } = outputUnderTest();
  output.showTransientLines(['0123456789', 'b', 'c', 'd']);
  expect(written()).toBe('\r\u001b[2K012345678\nb\nc');
});

test('is watched only where both streams are terminals', () => {
  const { output } = outputUnderTest();
  expect([output.canRewrite, output.isWatched]).toEqual([true, false]);
});
