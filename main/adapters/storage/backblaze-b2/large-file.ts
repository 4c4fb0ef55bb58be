import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions } from '../../../engine/storage/backend.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';
import type { B2Api } from './api.ts';
import { fileVersion, type FileVersion } from './file-version.ts';
import { listUploads, versionsOf } from './listing.ts';
import { tokenOf } from './tokens.ts';
import { openUploadUrls } from './upload-urls.ts';

/** A file that is sent in parts. It exists on the server from the first moment, and can be found there after a crash. */
export interface LargeFile {
  readonly fileId: string;
  /** Sends part `index`, from 0; settles to its SHA-1. */
  sendPart(index: number, bytes: Uint8Array, options?: CallOptions): Promise<string>;
  /** Puts the parts together. That the server no longer knows the upload is the fault of `uploadEnded`. */
  finish(sha1s: readonly string[], options?: CallOptions): Promise<FileVersion>;
}

const partReply = z.object({ partNumber: z.number(), contentLength: z.number(), contentSha1: z.string() });

export async function startLargeFile(api: B2Api, key: string, operation: string, options?: CallOptions): Promise<LargeFile> {
  const fields = { bucketId: true, fileName: api.place.base + key, contentType: 'application/octet-stream', fileInfo: {} };
  const { fileId } = await api.call(
    { name: 'b2_start_large_file', reply: z.object({ fileId: z.string() }), needs: 'writeFiles', fields },
    { operation, what: key, signal: options?.signal },
  );
  const urls = openUploadUrls(api, 'b2_get_upload_part_url', { fileId });

  return {
    fileId,
    async sendPart(index, bytes, call) {
      const about = { operation: 'writePart', what: key, signal: call?.signal };
      const { reply, sha1 } = await urls.send(bytes, { 'x-bz-part-number': String(index + 1) }, partReply, about);
      if (reply.contentSha1 === sha1 && reply.contentLength === bytes.byteLength) return sha1;
      throw new Fault('unavailable', `part ${index} of ${key} did not arrive as it was sent: B2 has ${reply.contentSha1}, sent ${sha1}`, {
        operation: 'writePart',
        context: { key, part: index },
      });
    },
    async finish(sha1s, call) {
      try {
        return await api.call(
          { name: 'b2_finish_large_file', reply: fileVersion, needs: 'writeFiles', fields: { fileId, partSha1Array: sha1s } },
          { operation: 'complete', what: key, signal: call?.signal },
        );
      } catch (error) {
        if (!isRefusal(error)) throw error;
        // A file that is finished already is refused like one that never was.
        return await finished(api, key, fileId, error, call);
      }
    },
  };
}

/** What a file has become to which finish was refused, as the reply to an earlier one may have been lost. */
async function finished(api: B2Api, key: string, fileId: string, fault: Fault, options?: CallOptions): Promise<FileVersion> {
  for await (const version of versionsOf(api, key, 'complete', { ...options, from: fileId })) {
    if (version.fileId !== fileId) continue;
    if (version.action === 'upload') return version;
    throw fault;
  }
  throw uploadEnded('complete', key, { cause: fault, lookedAt: true });
}

/** `gone`: there was none any more. */
export async function cancelLargeFile(
  api: B2Api,
  key: string,
  fileId: string,
  operation: string,
  options?: CallOptions,
): Promise<'cancelled' | 'gone'> {
  try {
    await api.call(
      { name: 'b2_cancel_large_file', reply: z.object({ fileId: z.string() }), needs: 'writeFiles', fields: { fileId } },
      { operation, what: key, signal: options?.signal },
    );
    return 'cancelled';
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // B2 has no code of its own for "no such upload".
    for await (const { token } of listUploads(api, key, options)) if (token === tokenOf(key, fileId)) throw error;
    return 'gone';
  }
}

function isRefusal(error: unknown): error is Fault {
  return error instanceof Fault && (error.context['status'] === 400 || error.context['status'] === 404);
}
