import type { TaskInput } from 'signalbox';
import { chain } from './chain.js';
import { diamonds } from './diamonds.js';
import { fanIn, fanOut } from './fan.js';
import { flat } from './flat.js';
import { layered } from './layered.js';

/** By name, since functions do not pass between processes. With a prefix, a second one has ids of its own. */
export const WORKLOADS = {
  flat,
  diamonds,
  layered,
  chain,
  'fan-in': fanIn,
  'fan-out': fanOut,
} satisfies Record<string, (size: number, prefix?: string) => Iterable<TaskInput>>;

export type WorkloadName = keyof typeof WORKLOADS;
