import { createHash, randomUUID } from 'node:crypto';
import { Fault } from '../../../contract/faults.ts';
import type { Backend, BackendLimits, ByteRange, ByteStream, ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { checkedCalls } from '../../../engine/storage/layers/checked-calls.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';

export interface MemoryOptions {
  /** The provider's clock. */
  readonly clock?: { now(): number };
  readonly limits?: Partial<BackendLimits>;
  /** How large the pieces of a read stream are at most. */
  readonly pieceSize?: number;
}

interface StoredObject {
  readonly info: ObjectInfo;
  readonly parts: readonly Uint8Array[];
}

interface OpenParts {
  readonly key: string;
  readonly startedAt: number;
  readonly ifAbsent: boolean;
  readonly parts: Map<number, Uint8Array>;
}

const defaultLimits: BackendLimits = { minPart: 1, maxPart: 2 ** 30, partMultiple: 1, maxParts: 10_000, parallelParts: 4 };

/** A destination that lives as long as the process. What is written is seen at once by every reader. */
export function memoryBackend(options: MemoryOptions = {}): Backend {
  const { clock = Date, pieceSize = 64 * 1024 } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, OpenParts>();

  function found(key: string, operation: string): StoredObject {
    const object = objects.get(key);
    if (object === undefined) throw new Fault('not-found', `there is no ${key}`, { operation, context: { key } });
    return object;
  }

  function openUpload(token: string, key: string, operation: string): OpenParts {
    const upload = uploads.get(token);
    if (upload === undefined) throw uploadEnded(operation, key, { context: { token } });
    return upload;
  }

  function completed(token: string, of: string): ObjectInfo {
    const { key, ifAbsent, parts } = openUpload(token, of, 'complete');
    const inOrder = partsInOrder(key, parts, limits);
    if (ifAbsent && objects.has(key)) {
      throw new Fault('already-exists', `${key} exists already`, { operation: 'complete', context: { key } });
    }
    const hash = createHash('sha256');
    let size = 0;
    for (const part of inOrder) {
      hash.update(part);
      size += part.byteLength;
    }
    const info: ObjectInfo = { key, size, modifiedAt: clock.now(), checksum: { algorithm: 'sha256', hex: hash.digest('hex') } };
    objects.set(key, { info, parts: inOrder });
    uploads.delete(token);
    return info;
  }

  function uploadOf(token: string, of: string): Upload {
    return {
      token,
      writePart: async (index, bytes) => {
        openUpload(token, of, 'writePart').parts.set(index, new Uint8Array(bytes));
      },
      complete: async () => completed(token, of),
      abort: async () => {
        uploads.delete(token);
      },
    };
  }

  return checkedCalls({
    info: { scheme: 'memory', label: 'memory', limits, checksum: 'sha256' },
    stat: async (key) => found(key, 'stat').info,
    async *list(prefix) {
      for (const [key, { info }] of [...objects]) if (key.startsWith(prefix)) yield info;
    },
    read: async (key, call) => readParts(found(key, 'read'), call?.range, pieceSize),
    beginUpload: async (key, call) => {
      const token = randomUUID();
      uploads.set(token, { key, startedAt: clock.now(), ifAbsent: call?.ifAbsent === true, parts: new Map() });
      return uploadOf(token, key);
    },
    async *openUploads(prefix) {
      for (const [token, { key, startedAt }] of [...uploads]) if (key.startsWith(prefix)) yield { token, startedAt };
    },
    abandon: async (token) => {
      uploads.delete(token);
    },
    remove: async (key) => {
      objects.delete(key);
    },
  });
}

/** Checks what a provider checks: no gap, and the sizes of all parts but the last. */
function partsInOrder(key: string, parts: ReadonlyMap<number, Uint8Array>, limits: BackendLimits): readonly Uint8Array[] {
  return Array.from({ length: parts.size }, (_, index) => {
    const part = parts.get(index);
    const last = index === parts.size - 1;
    if (part === undefined)
      throw new Fault('unexpected', `part ${index} of ${key} is missing`, { operation: 'complete', context: { key, index } });
    if (!last && (part.byteLength < limits.minPart || part.byteLength % limits.partMultiple !== 0)) {
      throw new Fault('unexpected', `part ${index} of ${key} has a size that only the last part may have`, {
        operation: 'complete',
        context: { key, index, bytes: part.byteLength },
      });
    }
    return part;
  });
}

function readParts(object: StoredObject, range: ByteRange | undefined, pieceSize: number): ByteStream {
  const { key, size } = object.info;
  const offset = range?.offset ?? 0;
  const end = range === undefined ? size : range.offset + range.length;
  if (end > size) {
    throw new Fault('range-invalid', `${key} has ${size} bytes, none at ${end - 1}`, {
      operation: 'read',
      context: { key, size, offset, end },
    });
  }
  return pieces(object.parts, offset, end, pieceSize);
}

async function* pieces(
  parts: readonly Uint8Array[],
  from: number,
  to: number,
  pieceSize: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let partStart = 0;
  for (const part of parts) {
    const last = Math.min(to - partStart, part.byteLength);
    for (let at = Math.max(0, from - partStart); at < last; at += pieceSize) yield part.slice(at, Math.min(at + pieceSize, last));
    partStart += part.byteLength;
  }
}
