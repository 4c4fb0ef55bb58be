import { Fault } from '../../contract/faults.ts';
import { headerSize, parseHeader } from '../archive/header.ts';
import { objectHeadSize } from '../archive/seal.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { readBytes } from '../storage/read-object.ts';
import { readObjectName } from './names.ts';

/** Among so many of the newest objects the newest header is looked for. */
export const newestObjects = 16;

/** Sealed objects, newest first; null when nothing of ours is there. */
export async function listObjects(
  backend: Backend,
  options: CallOptions,
): Promise<readonly { readonly key: string; readonly id: string }[] | null> {
  const found: { key: string; id: string }[] = [];
  let ours = false;
  for await (const { key } of backend.list('', options)) {
    const name = readObjectName(key);
    if (name === null || name.kind === 'classic') continue;
    ours = true;
    if (name.kind === 'manifest' || name.kind === 'archive') found.push({ key, id: name.id });
  }
  return ours ? found.sort((a, b) => (a.id < b.id ? 1 : -1)) : null;
}

export interface FoundHeader {
  readonly header: Buffer;
  /** On how many objects; a damaged header is on one only. */
  count: number;
}

/** The distinct headers of all objects, newest object first; null when nothing of ours is there. */
export async function recordsFromObjects(backend: Backend, options: CallOptions, most = Infinity): Promise<readonly FoundHeader[] | null> {
  const found = await listObjects(backend, options);
  if (found === null) return null;
  const records: FoundHeader[] = [];
  for (const { key } of found.slice(0, most)) {
    const header = await readHeader(backend, key, options);
    if (header === null) continue;
    const known = records.find((record) => record.header.equals(header));
    if (known === undefined) records.push({ header, count: 1 });
    else known.count += 1;
  }
  return records;
}

async function readHeader(backend: Backend, key: string, options: CallOptions): Promise<Buffer | null> {
  const head = await readHead(backend, key, options, headerSize);
  return head !== null && isRecord(head) ? head : null;
}

export async function readHead(backend: Backend, key: string, options: CallOptions, length = objectHeadSize): Promise<Buffer | null> {
  try {
    return Buffer.from(await readBytes(backend, key, { range: { offset: 0, length }, limit: length, signal: options.signal }));
  } catch (error) {
    // One damaged or vanished object is no reason to lose the others; what cannot be reached is.
    const skip = ['corrupt', 'truncated', 'unsupported', 'range-invalid', 'not-found'];
    if (error instanceof Fault && skip.includes(error.code)) return null;
    throw error;
  }
}

export function isRecord(slot: Buffer): boolean {
  try {
    return slot.length === headerSize && parseHeader(slot).bytes.length === headerSize;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}
