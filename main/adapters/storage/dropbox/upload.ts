import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { cancelledFault, throwIfCancelled } from '../../../engine/storage/cancel.ts';
import { contentBlock, ContentHash } from '../../../engine/storage/content-hash.ts';
import { removeWrong } from '../../../engine/storage/remove-wrong.ts';
import { isUploadEnded, uploadEnded } from '../../../engine/storage/upload-ended.ts';
import type { About, DropboxApi } from './api.ts';
import { DropboxError, notDropbox, toFault } from './errors.ts';
import { fileSchema, infoOf, pathOf, statObject } from './metadata.ts';
import { removeObject } from './remove-object.ts';

/** Up to so many bytes, when it is known before, an object is kept here and put in one request. */
const smallSize = 4 * 1024 * 1024;

const startedSchema = z.object({ session_id: z.string() });

export interface UploadOptions extends CallOptions {
  readonly sizeHint?: number | undefined;
  readonly ifAbsent?: boolean | undefined;
}

/**
 * An upload of which Dropbox shows nothing before its end. Sessions cannot be listed and end by themselves after a week, so the token
 * names nothing.
 */
export function beginUpload(api: DropboxApi, key: string, options?: UploadOptions): Upload {
  const commit = {
    path: pathOf(api, key),
    mode: options?.ifAbsent === true ? 'add' : 'overwrite',
    // Else `add` takes the same bytes for the same file.
    strict_conflict: options?.ifAbsent === true,
    autorename: false,
    mute: true,
  };
  const small = options?.sizeHint !== undefined && options.sizeHint <= smallSize;
  return small ? keptUpload(api, key, commit) : sessionUpload(api, key, commit);
}

/** The bytes wait here for complete(), which puts them in one request. */
function keptUpload(api: DropboxApi, key: string, commit: object): Upload {
  const parts = new Map<number, Uint8Array>();
  let done: ObjectInfo | undefined;
  return {
    token: 'unsent',
    async writePart(index, bytes) {
      parts.set(index, Uint8Array.from(bytes));
    },
    async complete(call) {
      if (done !== undefined) return done;
      const bytes = Buffer.concat([...parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part));
      const about: About = { operation: 'complete', what: key, signal: call?.signal };
      done = await committed(api, 'files/upload', commit, bytes, about);
      return done;
    },
    async abort() {
      parts.clear();
    },
  };
}

/** Parts go to a session one after the other; complete() names them a file. */
function sessionUpload(api: DropboxApi, key: string, commit: object): Upload {
  /** Where each part begins, and behind them where the next one will. */
  const offsets = [0];
  const sum = new ContentHash();
  let session: string | undefined;
  let done: ObjectInfo | undefined;

  /** Settles once Dropbox has the part, whether this call brought it or one whose reply was lost. */
  async function append(id: string, start: number, bytes: Uint8Array, about: About): Promise<void> {
    try {
      await api.upload('files/upload_session/append_v2', { cursor: { session_id: id, offset: start } }, bytes, about);
    } catch (error) {
      if (error instanceof DropboxError && correctOffset(error) === start + bytes.byteLength) return;
      throw error;
    }
  }

  /** A part that is sent again takes the place of what came, and of all behind it. But for the last, parts are whole blocks. */
  async function hashed(start: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    sum.cutTo(start);
    for (let at = 0; at < bytes.byteLength; at += contentBlock) {
      sum.update(bytes.subarray(at, at + contentBlock));
      // This thread has others to serve. A try that was given up meanwhile adds nothing to what the next one has begun.
      await nextTurn();
      throwIfCancelled(signal, 'writePart');
    }
  }

  return {
    token: 'a session, which ends by itself',
    async writePart(index, bytes, call) {
      const start = offsets[index];
      if (start === undefined || done !== undefined) {
        throw new Fault('unexpected', `part ${index} of ${key} came out of order`, {
          operation: 'writePart',
          context: { key, part: index },
        });
      }
      const about: About = { operation: 'writePart', what: key, signal: call?.signal };
      await hashed(start, bytes, call?.signal);
      await mapped(about, async () => {
        if (index === 0) {
          const started = startedSchema.safeParse(await api.upload('files/upload_session/start', { close: false }, bytes, about));
          if (!started.success) throw notDropbox('writePart', key);
          session = started.data.session_id;
        } else if (session !== undefined) await append(session, start, bytes, about);
      });
      offsets.length = index + 1;
      offsets.push(start + bytes.byteLength);
    },
    async complete(call) {
      if (done !== undefined) return done;
      const about: About = { operation: 'complete', what: key, signal: call?.signal };
      const cursor = { session_id: session ?? '', offset: offsets.at(-1) ?? 0 };
      // Producers of large objects know their SHA-256, which Dropbox does not tell: what it tells is known here alone.
      const ours = sum.hex();
      const info = await committed(api, 'files/upload_session/finish', { cursor, commit }, new Uint8Array(0), about).catch(
        async (error: unknown) => await become(api, key, ours, error, call),
      );
      if (info.checksum?.hex !== ours) {
        const fault = new Fault(
          'corrupt',
          `${key} did not arrive as it was sent: Dropbox's content hash is ${info.checksum?.hex ?? 'none'}, ours ${ours}`,
          {
            operation: 'complete',
            context: { key },
          },
        );
        throw await removeWrong(key, fault, () => removeObject(api, key));
      }
      done = info;
      return done;
    },
    // Nothing of it is visible or counted, and Dropbox has no call that ends one.
    abort: () => Promise.resolve(),
  };
}

/** Of a session that is over: it has become the object that stands there, where that has its content hash, or nothing, which leaves the object as it is. */
async function become(api: DropboxApi, key: string, ours: string, error: unknown, call: CallOptions | undefined): Promise<ObjectInfo> {
  if (!isUploadEnded(error)) throw error;
  const about: About = { operation: 'complete', what: key, signal: call?.signal };
  const found = await mapped(about, () => statObject(api, key, 'complete', call)).catch((reason: unknown) => {
    if (reason instanceof Fault && reason.code === 'not-found') return null;
    throw reason;
  });
  if (found?.checksum?.hex === ours) return found;
  throw uploadEnded('complete', key, { cause: error, lookedAt: true });
}

async function committed(api: DropboxApi, route: string, argument: object, bytes: Uint8Array, about: About): Promise<ObjectInfo> {
  return await mapped(about, async () => {
    const file = fileSchema.safeParse(await api.upload(route, argument, bytes, about));
    if (!file.success) throw notDropbox(about.operation, about.what);
    return infoOf(about.what, file.data);
  });
}

async function mapped<T>(about: About, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (about.signal?.aborted === true) throw cancelledFault(about.operation);
    throw toFault(error, about.operation, about.what, { key: about.what });
  }
}

/** Where Dropbox stands, when it says that it stands elsewhere: the reply to the call before was lost. */
function correctOffset({ summary, fields }: DropboxError): number | undefined {
  if (!/(^|\/)incorrect_offset$/.test(summary)) return undefined;
  const inner = fields['correct_offset'] ?? nested(fields, 'lookup_failed') ?? nested(fields, 'incorrect_offset');
  return typeof inner === 'number' ? inner : undefined;
}

function nested(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const inner = fields[name];
  return typeof inner === 'object' && inner !== null && 'correct_offset' in inner ? inner.correct_offset : undefined;
}
