import type { CallOptions, ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { Fault } from '../../../contract/faults.ts';
import { headWithTag, type Bucket } from './object-info.ts';
import { putWhole } from './put-object.ts';
import { unsentToken } from './tokens.ts';
import { beginMultipart, checkedSize } from './upload.ts';

/** Up to here a part is kept, as nothing may be visible before complete(), and put in one request then. */
export const smallSize = 5 * 1024 * 1024;

/**
 * An upload that is expected to be small: one request instead of three, and an ETag that is a checksum. When more comes than was
 * expected it becomes one in parts.
 */
export function beginSmall(bucket: Bucket, key: string, ifAbsent: boolean): Upload {
  let kept: Uint8Array | undefined;
  let larger: Promise<Upload> | undefined;
  let aborted = false;
  let tag: string | undefined;

  /** One at a time, and begun anew after a failure. */
  async function inParts(call: CallOptions | undefined): Promise<Upload> {
    larger ??= beginMultipart(bucket, key, ifAbsent, call);
    const begun = larger;
    try {
      const upload = await begun;
      if (kept !== undefined) {
        await upload.writePart(0, kept, call);
        kept = undefined;
      }
      return upload;
    } catch (error) {
      if (larger === begun && (await isRejected(begun))) larger = undefined;
      throw error;
    }
  }

  async function completed(call: CallOptions | undefined): Promise<ObjectInfo> {
    if (aborted || kept === undefined) {
      throw new Fault('not-found', `there is no upload of ${key} to complete`, { operation: 'complete', context: { key } });
    }
    tag ??= await putWhole(bucket, key, kept, ifAbsent, call);
    const { info, tag: present } = await headWithTag(bucket, key, 'complete', call);
    if (present === tag) return checkedSize(info, kept.byteLength);
    // Another computer has put its own there since: ours arrived all the same, and theirs is not judged by our bytes.
    return { key, size: kept.byteLength, modifiedAt: info.modifiedAt };
  }

  return {
    token: unsentToken,
    async writePart(index, bytes, call) {
      if (larger === undefined && index === 0 && bytes.byteLength <= smallSize) {
        kept = Uint8Array.from(bytes);
        return;
      }
      const upload = await inParts(call);
      await upload.writePart(index, bytes, call);
    },
    complete: async (call) => (larger === undefined ? await completed(call) : await (await inParts(call)).complete(call)),
    async abort(call) {
      aborted = true;
      if (larger !== undefined && !(await isRejected(larger))) await (await larger).abort(call);
    },
  };
}

async function isRejected(promise: Promise<unknown>): Promise<boolean> {
  return await promise.then(
    () => false,
    () => true,
  );
}
