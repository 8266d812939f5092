import { describe, expect, it } from 'vitest';
import { useSqlBox } from './sql-box.js';

const box = useSqlBox();

function claim(key: string, id: string) {
  return box.value('select claim_unique_key($1, $2)', [key, id]);
}

describe('claim_unique_key', () => {
  it('answers null and takes the key, or answers with the task that holds it', async () => {
    expect(await claim('key', 'a')).toBeNull();
    expect(await claim('key', 'b')).toBe('a');
    expect(await claim('another', 'b')).toBeNull();
    await box.clear();
  });

  it('waits for a session that is inserting a task with the key, and gets it if that fails', async () => {
    // 1. One session claims the key and has not committed.
    const first = await box.sessionThat(`select claim_unique_key('key', 'a')`);
    // 2. Another claims it, and waits.
    const second = claim('key', 'b');
    await box.untilSomebodyWaitsFor(first);
    // 3. The first fails: the second has the key.
    await first.query('rollback');
    expect(await second).toBeNull();
    expect(await claim('key', 'c')).toBe('b');
    await box.clear();
  });

  it('waits for a session that is inserting a task with the key, and learns its id if that commits', async () => {
    const first = await box.sessionThat(`select claim_unique_key('key', 'a')`);
    const second = claim('key', 'b');
    await box.untilSomebodyWaitsFor(first);
    await first.query('commit');
    expect(await second).toBe('a');
    await box.clear();
  });

  it('waits for a session that is ending the holder, and then takes the key', async () => {
    await claim('key', 'a');
    // 1. The holder is ending: its key is deleted, not yet committed.
    const ending = await box.sessionThat(`delete from unique_key where key = 'key'`);
    // 2. Another claims the key, and waits.
    const second = claim('key', 'b');
    await box.untilSomebodyWaitsFor(ending);
    // 3. The holder has ended.
    await ending.query('commit');
    expect(await second).toBeNull();
    await box.clear();
  });
});
