/**
 * `target` with some of its methods replaced. The others run on `target` itself, so that its private fields are theirs;
 * `wrap` may stand between.
 */
export function altered<T extends object>(
  target: T,
  methods: Partial<T>,
  wrap: (name: string, method: () => unknown) => unknown = (_, method) => method(),
): T {
  // A proxy of the target itself could replace nothing of a frozen one.
  const shell: T = Object.create(target);
  return new Proxy(shell, {
    get(_, name) {
      const replaced: unknown = Reflect.get(methods, name);
      if (replaced !== undefined) return replaced;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => wrap(String(name), () => Reflect.apply(member, target, args));
    },
  });
}
