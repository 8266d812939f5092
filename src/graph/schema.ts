/**
 * The part of the Standard Schema interface, version 1 (standardschema.dev), that is used here: what zod, valibot,
 * arktype and others implement, so none of them is a dependency.
 */
export interface StandardSchema<out In, out Out> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Out> | Promise<StandardResult<Out>>;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}

export type StandardResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A JSON Schema, draft 2020-12. `format` is an annotation, as the draft has it: not checked. */
export interface JsonSchema<out In = unknown, out Out = In> {
  readonly [keyword: string]: unknown;
  /** For the compiler only; never there at run time. */
  readonly '~types'?: { readonly input: In; readonly output: Out };
}

/** Either kind. `In` is what fits, `Out` what validation makes of it: the same but for schemas that default or transform. */
export type Schema<In, Out> = StandardSchema<In, Out> | JsonSchema<In, Out>;

export type AnySchema = Schema<unknown, unknown>;

/** A JSON Schema that is said to describe `T`. Without one: a type that nothing checks at run time. */
export function typed<T>(jsonSchema: JsonSchema = {}): JsonSchema<T> {
  // The type is what the caller says of the schema: no argument of this function has it.
  return jsonSchema as JsonSchema<T>;
}

export function isStandardSchema(schema: AnySchema): schema is StandardSchema<unknown, unknown> {
  return '~standard' in schema;
}
