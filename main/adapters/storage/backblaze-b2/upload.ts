import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';
import type { B2Api } from './api.ts';
import { encodeName, fileVersion, infoOf, type FileVersion } from './file-version.ts';
import { cancelLargeFile, startLargeFile, type LargeFile } from './large-file.ts';
import { statObject } from './listing.ts';
import { notB2 } from './errors.ts';
import { sharedCall } from '../../network/shared-call.ts';
import { tokenOf, unsentToken } from './tokens.ts';
import type { UploadUrls } from './upload-urls.ts';
import { settleVersions } from './versions.ts';

/** Up to here an upload is expected to be one request, so that nothing is begun on the server. */
export const smallSize = 16 * 1024 * 1024;

interface Part {
  readonly sha1: string;
  readonly size: number;
}

/**
 * B2 takes a file in one request, or as a large file of two parts at least. So the first part is kept until a second one comes, or complete(). An
 * upload of unknown size is begun as a large file, to be found after a crash, and cancelled when one part was all.
 */
export async function beginUpload(
  api: B2Api,
  urls: UploadUrls,
  key: string,
  options?: CallOptions & { readonly sizeHint?: number; readonly ifAbsent?: boolean },
): Promise<Upload> {
  const ifAbsent = options?.ifAbsent === true;
  const isSmall = options?.sizeHint !== undefined && options.sizeHint <= smallSize;
  let large: LargeFile | undefined = isSmall ? undefined : await startLargeFile(api, key, 'beginUpload', options);
  const start = sharedCall((signal) => startLargeFile(api, key, 'writePart', { signal }));
  const sent = new Map<number, Part>();
  let kept: Buffer | undefined;
  let keptGoesOut: Promise<void> | undefined;
  let inParts = false;
  let cancelTried = false;
  let aborted = false;
  let stored: FileVersion | undefined;
  let done: ObjectInfo | undefined;

  async function sendPart(index: number, bytes: Uint8Array, call: CallOptions | undefined): Promise<void> {
    large ??= await start(call?.signal);
    sent.set(index, { sha1: await large.sendPart(index, bytes, call), size: bytes.byteLength });
  }

  /** Before the first part is sent, as another follows it: B2 itself refuses only once all are there. */
  async function refuseSmall(size: number, call: CallOptions | undefined): Promise<void> {
    const { minPart } = await api.session(call?.signal);
    if (size >= minPart) return;
    throw new Fault('unsupported', `parts of ${key} have ${size} bytes, but this account takes none of fewer than ${minPart}`, {
      operation: 'writePart',
      context: { key, minPart },
    });
  }

  async function sendKept(bytes: Buffer, call: CallOptions | undefined): Promise<void> {
    await sendPart(0, bytes, call);
    if (kept === bytes) kept = undefined;
  }

  /** Sent by whoever comes first; the others do not wait, complete() looks again. */
  async function flush(call: CallOptions | undefined): Promise<void> {
    if (kept === undefined || keptGoesOut !== undefined) return;
    keptGoesOut = sendKept(kept, call).finally(() => (keptGoesOut = undefined));
    await keptGoesOut;
  }

  async function storeWhole(bytes: Buffer, call: CallOptions | undefined): Promise<FileVersion> {
    if (large !== undefined) await giveUpLarge(large, call);
    const about = { operation: 'complete', what: key, signal: call?.signal };
    const headers = { 'x-bz-file-name': encodeName(api.place.base + key), 'content-type': 'application/octet-stream' };
    return (await urls.send(bytes, headers, fileVersion, about)).reply;
  }

  async function giveUpLarge({ fileId }: LargeFile, call: CallOptions | undefined): Promise<void> {
    const first = !cancelTried;
    cancelTried = true;
    const outcome = await cancelLargeFile(api, key, fileId, 'complete', call);
    large = undefined;
    // Somebody else has abandoned it.
    if (outcome === 'gone' && first) throw uploadEnded('complete', key);
  }

  async function storeParts(call: CallOptions | undefined): Promise<FileVersion> {
    await flush(call);
    if (large === undefined) throw uploadEnded('complete', key);
    const parts = inOrder(key, sent);
    return await large.finish(
      parts.map(({ sha1 }) => sha1),
      call,
    );
  }

  return {
    token: large === undefined ? unsentToken : tokenOf(key, large.fileId),
    async writePart(index, bytes, call) {
      if (index === 0 && !inParts) {
        const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
        copy.set(bytes);
        kept = copy;
        return;
      }
      if (kept !== undefined) await refuseSmall(kept.byteLength, call);
      inParts = true;
      if (index === 0) {
        // An earlier one that is on its way must not arrive after this.
        await keptGoesOut?.catch(() => undefined);
        kept = undefined;
      }
      // Both have to have ended before the caller may use the memory of the one.
      const outcomes = await Promise.allSettled([sendPart(index, bytes, call), flush(call)]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
    async complete(call) {
      if (done !== undefined) return done;
      if (aborted || (kept === undefined && sent.size === 0)) throw uploadEnded('complete', key);
      const size = (kept?.byteLength ?? 0) + [...sent.values()].reduce((sum, part) => sum + part.size, 0);
      if (ifAbsent && stored === undefined) await throwIfExists(api, key, call);
      stored ??= inParts ? await storeParts(call) : await storeWhole(kept ?? Buffer.alloc(0), call);
      const info = infoOf(api.place, stored);
      if (info === null || stored.fileId === null) throw notB2('complete', key);
      await settleVersions(api, key, stored.fileId, ifAbsent, call);
      kept = undefined;
      done = checkedSize(info, size);
      return done;
    },
    async abort(call) {
      if (stored !== undefined) return;
      aborted = true;
      kept = undefined;
      if (large !== undefined) await cancelLargeFile(api, key, large.fileId, 'abort', call);
    },
  };
}

/** B2 knows no condition, so the name is looked at first. */
async function throwIfExists(api: B2Api, key: string, options?: CallOptions): Promise<void> {
  try {
    await statObject(api, key, 'complete', options);
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return;
    throw error;
  }
  throw new Fault('already-exists', `${key} exists already`, { operation: 'complete', context: { key } });
}

function checkedSize(info: ObjectInfo, size: number): ObjectInfo {
  if (info.size === size) return info;
  throw new Fault('corrupt', `${info.key} has ${info.size} bytes in the bucket, ${size} were sent`, {
    operation: 'complete',
    context: { key: info.key, size, found: info.size },
  });
}

function inOrder(key: string, parts: ReadonlyMap<number, Part>): readonly Part[] {
  return Array.from({ length: parts.size }, (_, index) => {
    const part = parts.get(index);
    if (part !== undefined) return part;
    throw new Fault('unexpected', `part ${index} of ${key} is missing`, { operation: 'complete', context: { key, part: index } });
  });
}
