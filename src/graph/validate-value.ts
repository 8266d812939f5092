import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { BodyFault } from '../errors.js';
import { InvalidValueError } from './graph-errors.js';
import {
  type AnySchema,
  isStandardSchema,
  type JsonSchema,
  type Schema,
  type StandardIssue,
} from './schema.js';

/** Nothing is kept by `$id`: two schemas of one id do not clash, and a schema goes when its graph does. */
const ajv = new Ajv2020({
  allErrors: true,
  strict: false,
  addUsedSchema: false,
  validateFormats: false,
});
const validators = new WeakMap<object, ValidateFunction>();

/**
 * Resolves with what `schema` makes of `value`: a Standard Schema may fill in defaults or transform, a JSON Schema leaves
 * it as it is. InvalidValueError, naming `subject`, with every fault and where it is as a JSON pointer.
 */
export async function validateValue<T>(
  schema: Schema<unknown, T>,
  value: unknown,
  subject: string,
): Promise<T> {
  if (!isStandardSchema(schema)) {
    const validate = compileJsonSchema(schema);
    // What a JSON Schema describes is what its author said: `typed`.
    if (validate(value)) return value as T;
    throw new InvalidValueError(subject, (validate.errors ?? []).map(faultOfAjv));
  }
  const result = await schema['~standard'].validate(value);
  if (result.issues) throw new InvalidValueError(subject, result.issues.map(faultOfIssue));
  return result.value;
}

/** What is wrong with a schema itself; null: it can be validated against. */
export function schemaFault(schema: AnySchema): string | null {
  const isObject = typeof schema === 'object' || typeof schema === 'function';
  if (!isObject || schema === null || Array.isArray(schema)) {
    return 'must be a Standard Schema (zod, valibot, arktype, ...) or a JSON Schema object';
  }
  if (isStandardSchema(schema)) {
    const { version, validate } = schema['~standard'];
    return version === 1 && typeof validate === 'function'
      ? null
      : `is a Standard Schema of version ${version}; version 1 is understood`;
  }
  if (typeof schema === 'function') return 'is a function, and no Standard Schema';
  try {
    compileJsonSchema(schema);
    return null;
  } catch (error) {
    return `is not a JSON Schema: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function compileJsonSchema(schema: JsonSchema): ValidateFunction {
  const known = validators.get(schema);
  if (known) return known;
  const compiled = ajv.compile(schema);
  validators.set(schema, compiled);
  return compiled;
}

/** Ajv points at the object that a property is missing from, or too many in: say which property. */
function faultOfAjv({ instancePath, message, keyword, params }: ErrorObject): BodyFault {
  const text = message ?? keyword;
  const extra = params.additionalProperty ?? params.unevaluatedProperty;
  return {
    path: instancePath,
    message: typeof extra === 'string' ? `${text}: ${JSON.stringify(extra)}` : text,
  };
}

function faultOfIssue({ path = [], message }: StandardIssue): BodyFault {
  return { path: path.map(stepOf).join(''), message };
}

/** A step of a JSON pointer, as RFC 6901 escapes it. */
function stepOf(step: PropertyKey | { readonly key: PropertyKey }): string {
  const key = String(typeof step === 'object' ? step.key : step);
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
