// Owns tasks for a lease of half a second, says so, and never gives them back. To be killed.
import { ActionManager, connect, defineActor } from '../../src/index.js';

const [connectionString = '', schema = '', prefix = ''] = process.argv.slice(2);
const box = await connect({ connectionString, schema });
const actor = defineActor('stuck', {
  work: ({ id }) => {
    console.log(`begun ${id}`);
    return new Promise(() => setInterval(() => {}, 1_000));
  },
});
const manager = new ActionManager(box.withPrefix(prefix), actor, {
  workers: 3,
  maxDurationMs: 500,
});
await manager.start();
