import { describe, expect, it } from 'vitest';
import { InvalidValueError } from '../../../src/graph/graph-errors.js';
import { type StandardResult, type StandardSchema, typed } from '../../../src/graph/schema.js';
import { schemaFault, validateValue } from '../../../src/graph/validate-value.js';

function standard<Out>(
  validate: (value: unknown) => StandardResult<Out> | Promise<StandardResult<Out>>,
): StandardSchema<unknown, Out> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

async function faultOf(promise: Promise<unknown>): Promise<InvalidValueError> {
  const fault = await promise.catch((error: unknown) => error);
  if (fault instanceof InvalidValueError) return fault;
  throw new Error(`no InvalidValueError but ${String(fault)}`);
}

describe('a JSON Schema', () => {
  const schema = typed<{ rows: { id: number }[] }>({
    type: 'object',
    required: ['rows'],
    additionalProperties: false,
    properties: {
      rows: { type: 'array', items: { type: 'object', properties: { id: { type: 'number' } } } },
    },
  });

  it('leaves a value that fits as it is', async () => {
    const value = { rows: [{ id: 1 }] };
    expect(await validateValue(schema, value, 'output of "a"')).toBe(value);
  });

  it('names every fault and where it is as a JSON pointer', async () => {
    const value = { rows: [{ id: 1 }, { id: 'x' }], extra: 1 };
    const fault = await faultOf(validateValue(schema, value, 'output of "a"'));
    expect(fault).toMatchObject({
      code: 'INVALID_VALUE',
      subject: 'output of "a"',
      errors: [
        { path: '', message: 'must NOT have additional properties: "extra"' },
        { path: '/rows/1/id', message: 'must be number' },
      ],
    });
    expect(fault.message).toBe(
      'The output of "a" does not fit its schema: / must NOT have additional properties: "extra"; ' +
        '/rows/1/id must be number.',
    );
  });

  it('escapes the steps of a pointer', async () => {
    const odd = { properties: { 'a/b~c': { type: 'number' } } };
    const fault = await faultOf(validateValue(odd, { 'a/b~c': '' }, 'input'));
    expect(fault.errors).toEqual([{ path: '/a~1b~0c', message: 'must be number' }]);
  });

  it('may have the id that another has', async () => {
    const one = { $id: 'https://example.org/same', type: 'number' };
    const other = { $id: 'https://example.org/same', type: 'string' };
    expect(await validateValue(one, 1, 'input')).toBe(1);
    expect(await validateValue(other, 'a', 'input')).toBe('a');
    expect((await faultOf(validateValue(one, 'a', 'input'))).errors).toHaveLength(1);
  });

  it('has format as an annotation', async () => {
    expect(await validateValue({ type: 'string', format: 'email' }, 'none', 'input')).toBe('none');
  });

  it('that is only typed lets everything pass', async () => {
    expect(await validateValue(typed<string>(), 1, 'input')).toBe(1);
  });
});

describe('a Standard Schema', () => {
  it.each([
    ['at once', (value: unknown) => ({ value: [value] })],
    ['later', async (value: unknown) => ({ value: [value] })],
  ])('gives what it makes of the value, %s', async (_, validate) => {
    expect(await validateValue(standard(validate), 1, 'input')).toEqual([1]);
  });

  it.each([
    ['without a path', undefined, ''],
    ['at the top', [], ''],
    ['in an array', ['rows', 2, 'id'], '/rows/2/id'],
    ['with steps as objects', [{ key: 'rows' }, { key: 0 }], '/rows/0'],
    ['with odd names', ['a/b', '~'], '/a~1b/~0'],
    ['with a symbol', [Symbol('s')], '/Symbol(s)'],
  ])('names a fault %s as a JSON pointer', async (_, path, pointer) => {
    const schema = standard(() => ({ issues: [{ message: 'is wrong', path }] }));
    const fault = await faultOf(validateValue(schema, 1, 'payload of "approved"'));
    expect(fault.errors).toEqual([{ path: pointer, message: 'is wrong' }]);
  });

  it('may be a function, as those of arktype are', async () => {
    const schema = Object.assign(
      () => {},
      standard((value) => ({ value })),
    );
    expect(schemaFault(schema)).toBeNull();
    expect(await validateValue(schema, 1, 'input')).toBe(1);
  });
});

describe('what is no schema', () => {
  it.each([
    ['a JSON Schema with a wrong keyword', { type: 'nonsense' }, 'is not a JSON Schema: '],
    ['a Standard Schema of another version', { '~standard': { version: 2 } }, 'of version 2'],
    ['a function', () => {}, 'is a function'],
    ['an array', [], 'must be a Standard Schema'],
    ['null', null, 'must be a Standard Schema'],
    ['a name', 'string', 'must be a Standard Schema'],
  ])('%s', (_, schema, problem) => {
    // What the compiler would refuse: said at run time all the same.
    expect(schemaFault(schema as never)).toContain(problem);
  });
});
