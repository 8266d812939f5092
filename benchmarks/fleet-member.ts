// One process of a Fleet: inserts and performs as it is told, until its parent disconnects.
import { ActionManager, connect, defineActor } from 'signalbox';
import type { Command, MemberOptions, Report } from './fleet-messages.js';
import { WORKLOADS } from './workloads/index.js';

const SAMPLE_MS = 50;
const MEGABYTE = 2 ** 20;

const options: MemberOptions = JSON.parse(process.argv[2] ?? '');
const box = await connect(options);
const peak = { rss: 0, heap: 0 };
let manager: ActionManager | undefined;
let numReturned = 0;

function say(report: Report): void {
  process.send?.(report);
}

/** One message for all that is returned in a turn of the event loop. */
function countReturned(): void {
  if (numReturned++ > 0) return;
  setImmediate(() => {
    say({ kind: 'returned', count: numReturned });
    numReturned = 0;
  });
}

function sampleMemory(): void {
  const { rss, heapUsed } = process.memoryUsage();
  peak.rss = Math.max(peak.rss, rss);
  peak.heap = Math.max(peak.heap, heapUsed);
}

async function obey(command: Command): Promise<void> {
  if (command.kind === 'insert') {
    await box.insertTasks(WORKLOADS[command.workload](command.size, command.prefix));
    say({ kind: 'inserted' });
  } else if (command.kind === 'start') {
    manager = new ActionManager(box, defineActor('bench', { work: async () => {} }), {
      onReturned: countReturned,
    });
    await manager.start();
  } else {
    await manager?.stop();
    say({ kind: 'stopped', peakRssMb: peak.rss / MEGABYTE, peakHeapMb: peak.heap / MEGABYTE });
  }
}

process.on('message', (command: Command) => {
  obey(command).catch((error) => say({ kind: 'failed', error: String(error) }));
});
process.on('disconnect', () => process.exit());
setInterval(sampleMemory, SAMPLE_MS);
say({ kind: 'ready' });
