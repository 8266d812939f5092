// A worker in a process of its own, until it is killed. Prints `begun <id>` when a handler begins and `done <id>` when it ends.
// Of a task whose id begins with `poison` it dies; one whose id begins with `warm` takes it 25 ms, `slow` for ever; the first
// try of one whose id begins with `flaky` fails. Arguments: URL, schema, prefix, the manager's options as JSON.
import { setTimeout as delay } from 'node:timers/promises';
import { ActionManager, connect, defineActor } from '../../src/index.js';

const [connectionString = '', schema = '', prefix = '', options = '{}'] = process.argv.slice(2);
const box = await connect({ connectionString, schema });
const actor = defineActor('child', {
  work: async ({ id, numTries }) => {
    console.log(`begun ${id}`);
    if (id.startsWith('poison')) process.kill(process.pid, 'SIGKILL');
    if (id.startsWith('warm')) await delay(25);
    if (id.startsWith('slow')) await new Promise(() => {});
    if (id.startsWith('flaky') && numTries === 1) throw new Error('the first try fails');
    console.log(`done ${id}`);
  },
});
const manager = new ActionManager(box.withPrefix(prefix), actor, JSON.parse(options));
await manager.start();
