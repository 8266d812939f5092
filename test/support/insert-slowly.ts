// Inserts so many tasks in one batch, to be killed meanwhile. Arguments: URL, schema, number of tasks.
import { connect, type TaskInput } from '../../src/index.js';

const [connectionString = '', schema = '', count = '0'] = process.argv.slice(2);

function* tasks(): Generator<TaskInput> {
  for (let i = 0; i < Number(count); i++) {
    yield { id: `t${i}`, action: 'work', toSignalAfter: ['end'], body: { number: i } };
  }
  yield { id: 'end', action: null };
}

const box = await connect({ connectionString, schema });
await box.insertTasks(tasks());
await box.close();
