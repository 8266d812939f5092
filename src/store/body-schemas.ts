import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type BodyFault, InvalidBodyError, InvalidOptionError } from '../errors.js';
import type { BodySchema } from './task-store.js';

/** The JSON schemas of actions' bodies. Each is compiled once. */
export class BodySchemas {
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });
  readonly #validators = new Map<string, ValidateFunction>();

  /** Replaces the schema that the action had. InvalidOptionError if it is not a JSON Schema. */
  register(action: string, schema: BodySchema): void {
    try {
      this.#validators.set(action, this.#ajv.compile(schema));
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new InvalidOptionError(
        `The body schema of action ${JSON.stringify(action)}`,
        `is not a JSON Schema: ${problem}`,
        { cause },
      );
    }
  }

  /** InvalidBodyError unless the action has no schema or the body fits it. */
  validate(action: string, id: string, body: unknown): void {
    const validator = this.#validators.get(action);
    if (!validator || validator(body ?? null)) return;
    throw new InvalidBodyError(id, (validator.errors ?? []).map(toFault));
  }
}

function toFault(error: ErrorObject): BodyFault {
  return { path: error.instancePath, message: error.message ?? error.keyword };
}
