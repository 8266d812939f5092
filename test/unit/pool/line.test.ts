import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Line } from '../../../src/pool/line.js';

const ITEMS = Array.from({ length: 8 }, (_, i) => ({ i }));
const STEP = fc.record({
  verb: fc.constantFrom('push' as const, 'shift' as const, 'remove' as const),
  item: fc.constantFrom(...ITEMS),
});

it('does what an array without duplicates does', () => {
  fc.assert(
    fc.property(fc.array(STEP), (steps) => {
      const line = new Line<{ i: number }>();
      let model: { i: number }[] = [];
      for (const { verb, item } of steps) {
        if (verb === 'shift') expect(line.shift()).toBe(model.shift());
        else if (verb === 'remove') {
          line.remove(item);
          model = model.filter((other) => other !== item);
        } else {
          line.push(item);
          if (!model.includes(item)) model.push(item);
        }
        expect([...line]).toEqual(model);
        expect(line.size).toBe(model.length);
        expect(line.first).toBe(model[0]);
      }
    }),
  );
});
