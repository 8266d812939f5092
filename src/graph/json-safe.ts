/** Named by the compiler where a result would not come back from JSON as what it was. */
interface NotJson<out Why extends string> {
  readonly '~notJson': Why;
}

type Scalar = string | number | boolean | null | undefined | void;

/**
 * `T`, with NotJson where JSON would lose it: functions, and so everything with methods (Date, Map, class instances),
 * symbols, bigints. A type is safe if it is assignable to its JsonSafe: the compiler then stops at recursion by itself.
 */
type JsonSafe<T> = T extends Scalar
  ? T
  : T extends bigint | symbol | ((...args: never) => unknown)
    ? NotJson<'lost in JSON'>
    : T extends object
      ? { readonly [K in keyof T]: JsonSafe<T[K]> }
      : T;

/** To intersect with a node's options: refuses `run` if its result `T` is not JSON. */
export type RefuseNonJson<T> = [T] extends [JsonSafe<T>]
  ? unknown
  : {
      readonly run: NotJson<'the result is stored as JSON: return no functions, symbols, bigints, nor objects with methods such as Date or Map'>;
    };
