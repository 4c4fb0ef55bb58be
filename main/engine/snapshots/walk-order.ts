import { Fault } from '../../contract/faults.ts';
import { rootPath, type BytePath } from '../archive/byte-path.ts';
import type { ManifestEntry } from './manifest-entry.ts';

/**
 * Compares two paths as a manifest has them (docs/format.md, "Manifest"): depth first, a folder before what is in it, names in the order of
 * their bytes. The slash sorts before every byte that a name may have.
 */
export function compareInWalkOrder(a: BytePath, b: BytePath): number {
  if (a === b) return 0;
  if (a === rootPath) return -1;
  if (b === rootPath) return 1;
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index += 1) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left === right) continue;
    if (left === slash) return -1;
    if (right === slash) return 1;
    return left - right;
  }
  return a.length - b.length;
}

const slash = 0x2f;

/** The same entries; fault corrupt at one that is not behind the one before it: whoever merges two manifests relies on their order. */
export async function* inWalkOrder(entries: AsyncIterable<ManifestEntry>, name: string): AsyncGenerator<ManifestEntry> {
  let last: BytePath | null = null;
  for await (const entry of entries) {
    if (last !== null && compareInWalkOrder(last, entry.path) >= 0) {
      throw new Fault('corrupt', `${name}: the entries of the manifest are not in the order that the format says`, {
        operation: 'read manifest',
        context: { object: name },
      });
    }
    last = entry.path;
    yield entry;
  }
}

/** Goes through two lists in walk order at once and holds one entry of each: what stands in only one of them comes with null for the other. */
export async function* merged<Before extends { readonly path: BytePath }, After extends { readonly path: BytePath }>(
  before: AsyncIterable<Before>,
  after: AsyncIterable<After>,
): AsyncGenerator<readonly [Before | null, After | null]> {
  const [left, right] = [before[Symbol.asyncIterator](), after[Symbol.asyncIterator]()];
  try {
    let [a, b] = [await next(left), await next(right)];
    while (a !== null || b !== null) {
      const order = a === null ? 1 : b === null ? -1 : compareInWalkOrder(a.path, b.path);
      yield [order <= 0 ? a : null, order >= 0 ? b : null];
      if (order <= 0) a = await next(left);
      if (order >= 0) b = await next(right);
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}

async function next<Entry>(entries: AsyncIterator<Entry>): Promise<Entry | null> {
  const result = await entries.next();
  return result.done === true ? null : result.value;
}
