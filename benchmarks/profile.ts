/*
 * Where the time of a task goes. The workload of a scenario is inserted and then performed by signalbox alone, each part
 * under V8's profiler and with pg_stat_statements counting every statement, those inside functions too. Both slow what they
 * watch: read shares from it, not rates.
 *
 * The figures overlap. Node and the server work at the same time, on several connections, so their microseconds may add
 * up to more than the wall's. Planning inside a function happens while the calling statement executes, and is taken off
 * that. Writing WAL out is only part of what WAL costs: putting it together is in the execution.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { connect, type Signalbox } from 'signalbox';
import { named, onServer, untilGone, withBox } from './box.js';
import { performAll } from './contestants/signalbox.js';
import { withCpuProfile } from './cpu-profile.js';
import type { Scenario } from './scenario.js';
import { readStatements, resetStatements, type StatementCost, tracked } from './statements.js';
import { WORKLOADS } from './workloads/index.js';

const SCHEMA = 'bench_profile';
const NUM_STATEMENTS = 12;
const QUERY_LENGTH = 70;
const PG_WITH_WAL_IO = 180_000;

interface ProfileOptions {
  readonly connectionString: string;
  readonly scenario: Scenario;
  readonly size: number;
}

/** Of one task, on average. */
interface PartProfile {
  readonly part: 'insert' | 'perform';
  readonly wallUs: number;
  readonly nodeCpuUs: number;
  readonly planningUs: number;
  readonly executionUs: number;
  /** Null before Postgres 18, and where track_wal_io_timing is off. */
  readonly walWriteUs: number | null;
  readonly walBytes: number;
  readonly statements: readonly StatementCost[];
}

/**
 * Writes <scenario>.profile.json, <scenario>.insert.cpuprofile and <scenario>.perform.cpuprofile into the folder, and
 * resolves with a text to read. Rejects for a scenario without a workload, and without pg_stat_statements.
 */
export async function writeProfile(folder: URL, options: ProfileOptions): Promise<string> {
  const { connectionString, scenario, size } = options;
  const { name, workload } = scenario;
  if (!workload) {
    throw new Error(
      `${name} has no workload to profile; name insert, flat, diamonds or another that has`,
    );
  }
  await mkdir(folder, { recursive: true });
  const parts = await withBox({ connectionString, schema: SCHEMA }, () =>
    onServer(connectionString, async (probe) => {
      const inPart = (part: PartProfile['part'], work: (box: Signalbox) => Promise<void>) => {
        const file = new URL(`${name}.${part}.cpuprofile`, folder);
        const profiled = (box: Signalbox) => withCpuProfile(file, () => work(box));
        return profilePart(probe, { connectionString, part, size, work: profiled });
      };
      const insert = await inPart('insert', async (box) => {
        await box.insertTasks(WORKLOADS[workload](size));
      });
      return [insert, await inPart('perform', (box) => performAll(box, size))];
    }),
  );
  const file = new URL(`${name}.profile.json`, folder);
  await writeFile(file, `${JSON.stringify({ scenario: name, size, parts }, null, 2)}\n`);
  return [...parts.map(toText), `Written to ${fileURLToPath(folder)}`].join('\n\n');
}

/** With connections of its own, which are gone when the counters are read. */
async function profilePart(
  probe: pg.Client,
  options: {
    readonly connectionString: string;
    readonly part: PartProfile['part'];
    readonly size: number;
    readonly work: (box: Signalbox) => Promise<void>;
  },
): Promise<PartProfile> {
  const { part, size, work } = options;
  const connectionString = named(tracked(options.connectionString, 'all'), SCHEMA);
  const box = await connect({ connectionString, schema: SCHEMA });
  await resetStatements(probe);
  const walMsBefore = await readWalMs(probe);
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await work(box);
  const wallMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  await box.close();
  await untilGone(probe, SCHEMA);
  const walMs = await readWalMs(probe);
  const statements = await readStatements(probe);
  return {
    part,
    wallUs: (1_000 * wallMs) / size,
    nodeCpuUs: (cpu.user + cpu.system) / size,
    ...sumUp(statements, size),
    walWriteUs:
      walMs === null || walMsBefore === null ? null : (1_000 * (walMs - walMsBefore)) / size,
    statements,
  };
}

function sumUp(statements: readonly StatementCost[], size: number) {
  const outer = statements.filter(({ isTopLevel }) => isTopLevel);
  const inner = statements.filter(({ isTopLevel }) => !isTopLevel);
  const sum = (of: readonly StatementCost[], read: (statement: StatementCost) => number) =>
    of.reduce((total, statement) => total + read(statement), 0);
  const innerPlanMs = sum(inner, ({ planMs }) => planMs);
  const executionMs = sum(outer, (statement) => statement.executionMs) - innerPlanMs;
  const planningMs = sum(outer, ({ planMs }) => planMs) + innerPlanMs;
  return {
    planningUs: (1_000 * planningMs) / size,
    executionUs: (1_000 * executionMs) / size,
    walBytes: sum(outer, (statement) => statement.walBytes) / size,
  };
}

/** Milliseconds in which WAL was written and synced, by connections and the server's own processes; null: it is not timed. */
async function readWalMs(probe: pg.Client): Promise<number | null> {
  const { rows: settings } = await probe.query<{ version: string; timing: string }>(
    `select current_setting('server_version_num') as version,
       current_setting('track_wal_io_timing', true) as timing`,
  );
  const [setting] = settings;
  if (Number(setting?.version) < PG_WITH_WAL_IO || setting?.timing !== 'on') return null;
  const { rows } = await probe.query<{ ms: number }>(
    `select coalesce(sum(coalesce(write_time, 0) + coalesce(fsync_time, 0)), 0) as ms
     from pg_stat_io where object = 'wal'`,
  );
  return Number(rows[0]?.ms);
}

function toText(profile: PartProfile): string {
  const { part, statements } = profile;
  const us = (value: number | null) => (value === null ? '–' : `${value.toFixed(2)} µs`);
  return [
    `${part}, of one task: ${us(profile.wallUs)} by the clock`,
    `  CPU of Node ${us(profile.nodeCpuUs)}, planning ${us(profile.planningUs)}, execution ${us(profile.executionUs)},`,
    `  writing WAL ${us(profile.walWriteUs)}, WAL ${profile.walBytes.toFixed(0)} bytes`,
    '',
    '| calls | execution ms | planning ms | WAL bytes | level | statement |',
    '|---:|---:|---:|---:|---|---|',
    ...statements.slice(0, NUM_STATEMENTS).map(toRow),
  ].join('\n');
}

function toRow(statement: StatementCost): string {
  const { calls, executionMs, planMs, walBytes, isTopLevel, query } = statement;
  const level = isTopLevel ? 'client' : 'in a function';
  const cells = [calls, executionMs.toFixed(1), planMs.toFixed(1), walBytes, level];
  return `| ${cells.join(' | ')} | ${query.slice(0, QUERY_LENGTH).replaceAll('|', '\\|')} |`;
}
