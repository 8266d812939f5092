import { describe, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function listed(condition: string, time: Date): Promise<unknown[]> {
  return box.values(`select id from list_tasks('', '', null, 100, ${condition} => $1)`, [time]);
}

describe('list_tasks', () => {
  it('gives those changed since, or not since, or ended before a time', async () => {
    await box.insert(spec('a'), spec('b', { action: 'other' }), spec('c', { action: 'third' }));
    await box.rows('update task set updated_at = $1', [NOW]);
    await box.giveBack(await box.own({ actions: ['other'], now: at(5) }), 'completed', at(10));
    await box.own({ actions: ['third'], now: at(20) });
    expect(await listed('p_updated_since', at(10))).toEqual(['b', 'c']);
    expect(await listed('p_updated_since', at(11))).toEqual(['c']);
    expect(await listed('p_updated_before', at(10))).toEqual(['a']);
    expect(await listed('p_ended_before', at(10))).toEqual([]);
    expect(await listed('p_ended_before', at(11))).toEqual(['b']);
  });
});
