// The process of one contestant: does as it is told until its parent disconnects.
import { inspect } from 'node:util';
import type { Contestant, Contestants } from './contestant.js';
import type { Answer, Command, HostOptions } from './contestant-messages.js';
import { WORKLOADS } from './workloads/index.js';

function say(answer: Answer): void {
  process.send?.(answer);
}

function fail(error: unknown): void {
  say({ kind: 'failed', error: inspect(error) });
}

async function open(): Promise<Contestant | undefined> {
  const { connectionString, module, name }: HostOptions = JSON.parse(process.argv[2] ?? '');
  const { contestants }: { contestants: Contestants } = await import(module);
  const load = contestants[name];
  if (!load) throw new Error(`${module} has no ${name}`);
  return (await load())(connectionString);
}

async function obey(contestant: Contestant, command: Command): Promise<Answer> {
  if (command.kind === 'run') {
    const { workload, size } = command;
    return {
      kind: 'timing',
      timing: await contestant.run(() => WORKLOADS[workload](size), size),
    };
  }
  if (command.kind === 'hops') {
    return { kind: 'latencies', values: await measureHops(contestant, command.length) };
  }
  return { kind: 'latencies', values: (await contestant.wake?.(command.count)) ?? null };
}

/** Milliseconds from the start of one handler to the start of the next. */
async function measureHops(contestant: Contestant, length: number): Promise<number[]> {
  const startedAt: number[] = [];
  const onTask = () => startedAt.push(performance.now());
  await contestant.run(() => WORKLOADS.chain(length), length, onTask);
  return startedAt.slice(1).map((at, i) => at - (startedAt[i] ?? at));
}

async function host(): Promise<void> {
  const contestant = await open();
  if (!contestant) {
    say({ kind: 'absent' });
    process.disconnect();
    return;
  }
  process.on('message', (command: Command) => {
    obey(contestant, command).then(say, fail);
  });
  process.on('disconnect', () => {
    contestant.close().then(
      () => process.exit(),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  const { name, cannot, differences, longestChain } = contestant;
  say({ kind: 'entry', entry: { name, cannot, differences, longestChain } });
}

host().catch(fail);
