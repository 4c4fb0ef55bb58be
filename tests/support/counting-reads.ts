import type { Backend } from '../../main/engine/storage/backend.ts';

/** What was asked of a backend, by key: how often, and how many bytes. */
export type Reads = Map<string, { count: number; bytes: number }>;

/** The same backend; notes what is read of it. */
export function countingReads(backend: Backend, reads: Reads): Backend {
  return {
    ...backend,
    read: async (key, options) => {
      const length = options?.range?.length ?? (await backend.stat(key)).size;
      const { count, bytes } = reads.get(key) ?? { count: 0, bytes: 0 };
      reads.set(key, { count: count + 1, bytes: bytes + length });
      return await backend.read(key, options);
    },
  };
}

export function sumOf(reads: Reads, ending = ''): { count: number; bytes: number } {
  const found = [...reads].filter(([key]) => key.endsWith(ending)).map(([, one]) => one);
  return found.reduce((sum, one) => ({ count: sum.count + one.count, bytes: sum.bytes + one.bytes }), { count: 0, bytes: 0 });
}
