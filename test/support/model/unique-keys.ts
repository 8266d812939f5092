import type { TaskSpec } from './model-task.js';

interface Holder {
  readonly id: string;
  /** The key stays taken until then, whatever becomes of the task. */
  readonly keptUntilMs: number | null;
  readonly isReleased: boolean;
}

/** Who holds which unique key. */
export class UniqueKeys {
  readonly #holders: Map<string, Holder>;

  constructor(holders: Iterable<[string, Holder]> = []) {
    this.#holders = new Map(holders);
  }

  clone(): UniqueKeys {
    return new UniqueKeys(this.#holders);
  }

  /** Whether each of these tasks can have its key: nobody else has it, nor two of them ask for it. */
  areFree(specs: readonly TaskSpec[], nowMs: number): boolean {
    const wanted = specs.flatMap(({ id, uniqueKey }) =>
      uniqueKey === null ? [] : [{ id, uniqueKey }],
    );
    const isFree = ({ id, uniqueKey }: { id: string; uniqueKey: string }) => {
      const holder = this.#holders.get(uniqueKey);
      return (
        !holder || holder.id === id || (holder.isReleased && (holder.keptUntilMs ?? 0) <= nowMs)
      );
    };
    return (
      new Set(wanted.map(({ uniqueKey }) => uniqueKey)).size === wanted.length &&
      wanted.every(isFree)
    );
  }

  /** For a task that is inserted now, or runs again (`fromMs` null): what is kept already stays so. */
  take({ id, uniqueKey, uniqueForMs }: TaskSpec, fromMs: number | null): void {
    if (uniqueKey === null) return;
    const holder = this.#holders.get(uniqueKey);
    const isOwn = holder?.id === id;
    const keptUntilMs = uniqueForMs == null || fromMs === null ? null : fromMs + uniqueForMs;
    this.#holders.set(uniqueKey, {
      id,
      keptUntilMs: isOwn ? holder.keptUntilMs : keptUntilMs,
      isReleased: false,
    });
  }

  /** The task needs its key no more. */
  free({ id, uniqueKey }: TaskSpec, nowMs: number): void {
    if (uniqueKey === null) return;
    const holder = this.#holders.get(uniqueKey);
    if (holder?.id !== id || holder.isReleased) return;
    if (holder.keptUntilMs === null || holder.keptUntilMs <= nowMs) this.#holders.delete(uniqueKey);
    else this.#holders.set(uniqueKey, { ...holder, isReleased: true });
  }
}
