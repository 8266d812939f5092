import { expect, test } from 'vitest';
import {
  copyColumns,
  copyHeader,
  copyTrailer,
  RowEncoder,
  rowValues,
  totalOffset,
} from '../../../src/store/copy-row.js';
import type { TaskInput } from '../../../src/store/task-store.js';

type Decoder = (value: Buffer) => unknown;

const text: Decoder = (value) => value.toString('utf8');
const int4: Decoder = (value) => (value.length === 4 ? value.readInt32BE() : null);
const interval: Decoder = (value) => {
  expect([value.length, value.readInt32BE(8), value.readInt32BE(12)]).toEqual([16, 0, 0]);
  return value.readBigInt64BE();
};
const time: Decoder = (value) => value.readBigInt64BE();

function textArray(value: Buffer): string[] {
  const [dimensions, hasNulls, oid, length = 0, from] = [0, 4, 8, 12, 16].map((at) =>
    value.readInt32BE(at),
  );
  expect([dimensions, hasNulls, oid, from]).toEqual([1, 0, 25, 1]);
  let at = 20;
  const texts = Array.from({ length }, () => {
    const start = at + 4;
    at = start + value.readInt32BE(at);
    return value.toString('utf8', start, at);
  });
  expect(at).toBe(value.length);
  return texts;
}

const DECODERS: Record<(typeof copyColumns)[number], Decoder> = {
  total_dependencies: int4,
  id: text,
  action: text,
  queue: text,
  priority: (value) => (value.length === 2 ? value.readInt16BE() : null),
  run_when: text,
  total_is_given: (value) => [...value].join(),
  body: (value) => [value[0], value.toString('utf8', 1)],
  to_signal_after: textArray,
  start_after: time,
  due_at: time,
  max_tries: int4,
  retry_delay: interval,
  retry_factor: (value) => value.readDoubleBE(),
  retry_max_delay: interval,
  max_duration: interval,
  unique_key: text,
  notify_channel_after: text,
  retry_jitter: (value) => value.readFloatBE(),
  unique_until_started: (value) => [...value].join(),
  unique_for: interval,
  limit_key: text,
  fair_key: text,
};

const encoder = new RowEncoder();

function roundTrip(task: TaskInput, body: string | null = null): Record<string, unknown> {
  const length = encoder.encode(task, task.toSignalAfter ?? [], body);
  const row = Buffer.from(encoder.bytes.subarray(0, length));
  expect(row.readInt16BE()).toBe(copyColumns.length);
  const values = rowValues(row);
  const size = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0), 2);
  expect(size).toBe(length);
  const decoded = copyColumns.map((column, i) => {
    const value = values[i];
    return [column, value ? DECODERS[column](value) : null];
  });
  return Object.fromEntries(decoded);
}

test('every column comes back from the bytes', () => {
  const startAfter = new Date('2300-01-02T03:04:05.678Z');
  const task: TaskInput = {
    id: 'id-é-😀',
    action: 'copy',
    toSignalAfter: ['b', 'ü', 'c'.repeat(100)],
    totalDependencies: 2 ** 31 - 1,
    queue: 'quick',
    priority: -32_768,
    startAfter,
    maxTries: 7,
    retry: { delayMs: 1500.5, factor: 2.5, maxDelayMs: 3_155_760_000_000, jitter: 0.25 },
    maxDurationMs: 0.001,
    runWhen: 'all_succeeded',
    uniqueKey: 'key',
    uniqueUntil: 'started',
    uniqueForMs: 60_000,
    limitKey: 'limited-é',
    fairKey: 'tenant-😀',
    notifyChannelAfter: 'channel',
  };
  const micros = BigInt(startAfter.getTime() - Date.UTC(2000, 0, 1)) * 1000n;
  expect(roundTrip(task, '{"a":"é"}')).toEqual({
    total_dependencies: 2 ** 31 - 1,
    id: 'id-é-😀',
    action: 'copy',
    queue: 'quick',
    priority: -32_768,
    run_when: 'all_succeeded',
    total_is_given: '1',
    body: [1, '{"a":"é"}'],
    to_signal_after: ['b', 'ü', 'c'.repeat(100)],
    start_after: micros,
    due_at: micros,
    max_tries: 7,
    retry_delay: 1_500_500n,
    retry_factor: 2.5,
    retry_max_delay: 3_155_760_000_000_000n,
    max_duration: 1n,
    unique_key: 'key',
    notify_channel_after: 'channel',
    retry_jitter: 0.25,
    unique_until_started: '1',
    unique_for: 60_000_000n,
    limit_key: 'limited-é',
    fair_key: 'tenant-😀',
  });
});

test('what is left out is null, or the default', () => {
  const nulls = Object.fromEntries(copyColumns.map((column) => [column, null]));
  expect(roundTrip({ id: 'a', action: null })).toEqual({
    ...nulls,
    total_dependencies: 0,
    id: 'a',
    queue: 'default',
    priority: 0,
    run_when: 'all_done',
    total_is_given: '0',
    unique_until_started: '0',
  });
});

test('a total of 0 that is given is marked as given', () => {
  const row = roundTrip({ id: 'a', action: null, totalDependencies: 0 });
  expect(row).toMatchObject({ total_dependencies: 0, total_is_given: '1' });
});

test('the total stands at totalOffset', () => {
  encoder.encode({ id: 'a', action: null, totalDependencies: 77 }, [], null);
  expect(encoder.bytes.readInt32BE(totalOffset)).toBe(77);
});

test.each(['2000-01-01', '1999-12-31T23:59:59.999Z', '-004712-01-01T00:00:00Z', '+275760-09-13'])(
  'the time %s is exact to the microsecond',
  (iso) => {
    const startAfter = new Date(iso);
    const micros = BigInt(startAfter.getTime()) * 1000n - 946_684_800_000_000n;
    expect(roundTrip({ id: 'a', action: null, startAfter }).due_at).toBe(micros);
  },
);

test('texts of every length around the fast path, ASCII or not, come back', () => {
  for (let length = 1; length < 70; length++) {
    for (const letter of ['x', 'é', '€', '😀']) {
      const id = `${'x'.repeat(length - 1)}${letter}`;
      expect(roundTrip({ id, action: letter.repeat(length) })).toMatchObject({
        id,
        action: letter.repeat(length),
      });
    }
  }
});

test('a row larger than the memory so far is whole, and so is the small one after it', () => {
  const body = JSON.stringify('€'.repeat(1_000_000));
  expect(roundTrip({ id: 'large', action: null }, body).body).toEqual([1, body]);
  const targets = Array.from({ length: 20_000 }, (_, i) => `target-${i}`);
  const row = roundTrip({ id: 'wide', action: null, toSignalAfter: targets });
  expect(row.to_signal_after).toEqual(targets);
  expect(roundTrip({ id: 'small', action: null })).toMatchObject({ id: 'small', body: null });
});

test('header and trailer are those of the binary format', () => {
  const signature = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00];
  expect([...copyHeader]).toEqual([...signature, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(copyTrailer.readInt16BE()).toBe(-1);
});
