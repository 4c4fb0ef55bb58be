import type { Backend, ByteRange, CallOptions, Upload } from '../backend.ts';

export type Verb = 'stat' | 'list' | 'read' | 'beginUpload' | 'writePart' | 'complete' | 'abort' | 'openUploads' | 'abandon' | 'remove';

/** One call of a backend or of an upload, as a layer sees it. */
export interface Call {
  readonly verb: Verb;
  /** The key, the prefix or, for abandon, the token. */
  readonly target: string;
  /** Bytes handed over: those of a part, else 0. */
  readonly bytes: number;
  readonly range?: ByteRange | undefined;
  /** The number of the part, of writePart only. */
  readonly part?: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Hooks {
  /** Around every verb that settles once. `run` takes the signal that the inner call shall listen to. */
  call<T>(call: Call, run: (signal: AbortSignal | undefined) => Promise<T>): Promise<T>;
  /** Around list, openUploads and read. Nothing is asked of the inner backend before the first step. */
  stream<T>(call: Call, open: (signal: AbortSignal | undefined) => AsyncIterable<T>): AsyncIterable<T>;
}

/** A backend that does what `inner` does with `hooks` around every call, those of its uploads included. */
export function around(inner: Backend, hooks: Hooks): Backend {
  return {
    info: inner.info,
    stat: (key, options) => hooks.call(callOf('stat', key, options), (signal) => inner.stat(key, { signal })),
    list: (prefix, options) => hooks.stream(callOf('list', prefix, options), (signal) => inner.list(prefix, { signal })),
    read: (key, options) =>
      Promise.resolve(
        hooks.stream({ ...callOf('read', key, options), range: options?.range }, (signal) =>
          opening(() => inner.read(key, { ...options, signal })),
        ),
      ),
    beginUpload: async (key, options) => {
      const upload = await hooks.call(callOf('beginUpload', key, options), (signal) => inner.beginUpload(key, { ...options, signal }));
      return aroundUpload(key, upload, hooks);
    },
    openUploads: (prefix, options) =>
      hooks.stream(callOf('openUploads', prefix, options), (signal) => inner.openUploads(prefix, { signal })),
    abandon: (token, options) => hooks.call(callOf('abandon', token, options), (signal) => inner.abandon(token, { signal })),
    remove: (key, options) => hooks.call(callOf('remove', key, options), (signal) => inner.remove(key, { signal })),
  };
}

function aroundUpload(key: string, upload: Upload, hooks: Hooks): Upload {
  return {
    token: upload.token,
    writePart: (index, bytes, options) =>
      hooks.call({ ...callOf('writePart', key, options), bytes: bytes.byteLength, part: index }, (signal) =>
        upload.writePart(index, bytes, { signal }),
      ),
    complete: (options) => hooks.call(callOf('complete', key, options), (signal) => upload.complete({ ...options, signal })),
    abort: (options) => hooks.call(callOf('abort', key, options), (signal) => upload.abort({ signal })),
  };
}

export function callOf(verb: Verb, target: string, options?: CallOptions): Call {
  return { verb, target, bytes: 0, signal: options?.signal };
}

/** A stream that is opened at its first step, so that one nobody reads holds nothing. */
async function* opening<T>(open: () => Promise<AsyncIterable<T>>): AsyncGenerator<T, void, undefined> {
  yield* await open();
}
