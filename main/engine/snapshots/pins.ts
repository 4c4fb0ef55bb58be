import type { CallOptions } from '../storage/backend.ts';
import { readBytes } from '../storage/read-object.ts';
import { uploadBytes } from '../storage/upload-object.ts';
import { findObject } from './catalog.ts';
import type { Catalog, ListedSnapshot } from './catalog.ts';
import { pinKey } from './names.ts';

const maxPin = 4096;

/** Keeps a snapshot from every prune. The note is plain text beside it: it is a name for people, no secret. */
export async function writePin(catalog: Catalog, snapshot: ListedSnapshot, note: string, options: CallOptions): Promise<void> {
  const text = Buffer.from(note.trim() === '' ? '' : `${note.trim()}\n`, 'utf8').subarray(0, maxPin);
  await uploadBytes(
    catalog.backend,
    pinKey(snapshot.slug, snapshot.id),
    text,
    options.signal === undefined ? {} : { signal: options.signal },
  );
}

export async function removePin(catalog: Catalog, snapshot: ListedSnapshot, options: CallOptions): Promise<void> {
  await catalog.backend.remove(pinKey(snapshot.slug, snapshot.id), options);
}

export async function readPin(catalog: Catalog, snapshot: ListedSnapshot, options: CallOptions): Promise<{ readonly note: string } | null> {
  const pin = findObject(snapshot, 'pin');
  if (pin === null) return null;
  if (pin.size === 0 || pin.size > maxPin) return { note: '' };
  return {
    note: Buffer.from(await readBytes(catalog.backend, pin.key, { ...options, limit: maxPin }))
      .toString('utf8')
      .trim(),
  };
}
