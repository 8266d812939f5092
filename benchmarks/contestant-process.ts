/*
 * A contestant in a process of its own, as a service is, so that none pays for another's heap and compiled code: with
 * five of them in one process signalbox had 48,800 flat tasks a second, alone in it 58,100.
 *
 *   started --run(), measureHops(), wake(): one at a time--> started --close()--> gone
 *
 * A parent that dies disconnects it, and it ends.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Entry, Timing } from './contestant.js';
import type { Answer, Command, HostOptions } from './contestant-messages.js';
import { endChild } from './end-child.js';
import type { WorkloadName } from './workloads/index.js';

const HOST = fileURLToPath(new URL('contestant-host.ts', import.meta.url));

export class ContestantProcess {
  readonly entry: Entry;
  readonly #child: ChildProcess;

  /** `undefined` when this machine lacks what it needs, which it has said. */
  static async start(options: HostOptions): Promise<ContestantProcess | undefined> {
    const child = fork(HOST, [JSON.stringify(options)]);
    const answer = await answerOf(child);
    if (answer.kind === 'absent') return undefined;
    if (answer.kind === 'entry') return new ContestantProcess(child, answer.entry);
    child.kill();
    throw unexpected(answer);
  }

  private constructor(child: ChildProcess, entry: Entry) {
    this.#child = child;
    this.entry = entry;
  }

  takes(scenario: string): boolean {
    return !this.entry.cannot?.includes(scenario);
  }

  /** See Contestant. */
  async run(workload: WorkloadName, size: number): Promise<Timing> {
    const answer = await this.#ask({ kind: 'run', workload, size });
    if (answer.kind === 'timing') return answer.timing;
    throw unexpected(answer);
  }

  /** Milliseconds from handler to handler of a chain, which is shorter where it takes none of that length. */
  async measureHops(length: number): Promise<readonly number[]> {
    const longest = this.entry.longestChain ?? length;
    return (await this.#askLatencies({ kind: 'hops', length: Math.min(length, longest) })) ?? [];
  }

  /** See Contestant; null: it takes no part. */
  async wake(count: number): Promise<readonly number[] | null> {
    return await this.#askLatencies({ kind: 'wake', count });
  }

  /** Resolves when it has gone, and what it had in the database with it. */
  async close(): Promise<void> {
    await endChild(this.#child);
  }

  async #askLatencies(command: Command): Promise<readonly number[] | null> {
    const answer = await this.#ask(command);
    if (answer.kind === 'latencies') return answer.values;
    throw unexpected(answer);
  }

  async #ask(command: Command): Promise<Answer> {
    const answer = answerOf(this.#child);
    this.#child.send(command);
    return await answer;
  }
}

/** What it says next. Rejects when it ends instead. */
async function answerOf(child: ChildProcess): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const onExit = (code: number | null) => {
      reject(new Error(`the process of a contestant ended with ${code}`));
    };
    child.once('exit', onExit);
    child.once('message', (answer: Answer) => {
      child.off('exit', onExit);
      resolve(answer);
    });
  });
}

function unexpected(answer: Answer): Error {
  return new Error(answer.kind === 'failed' ? answer.error : `unexpected: ${answer.kind}`);
}
