import type { Backend, Layer, Upload } from '../backend.ts';
import { around, callOf, type Call } from './around.ts';
import { noticing } from './noticing.ts';
import { patience, patiently, type Line, type RetryOptions, type Retrying } from './patience.ts';
import { resumingRead } from './resuming-read.ts';
import { completeSurely } from './sure-complete.ts';

/**
 * The one retry loop: calls are made again after temporary faults, listings begun again, reads taken up where they broke off.
 * What an upload has in memory, one part, is the unit that is sent again.
 */
export function retry(given: RetryOptions): Layer {
  const line: Line = { answeredAt: -Infinity };
  const options: Retrying = { ...given, line };

  async function call<T>(about: Call, run: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    return await patiently(options, about.verb, about.signal, () => run(about.signal));
  }

  /** Begun again from the start after a failure; what has been told already is not told twice. */
  async function* relisted<T>(about: Call, open: () => AsyncIterable<T>, nameOf: (item: T) => string): AsyncGenerator<T, void, undefined> {
    const limit = patience(options, about.verb, about.signal);
    const told = new Set<string>();
    for (;;) {
      try {
        for await (const item of open()) {
          const name = nameOf(item);
          if (told.has(name)) continue;
          told.add(name);
          limit.progress();
          yield item;
        }
        return;
      } catch (error) {
        await limit.afterFailure(error);
      }
    }
  }

  const over = (inner: Backend): Backend => ({
    ...around(inner, { call, stream: (about, open) => open(about.signal) }),
    list: (prefix, o) =>
      relisted(
        callOf('list', prefix, o),
        () => inner.list(prefix, o),
        (item) => item.key,
      ),
    openUploads: (prefix, o) =>
      relisted(
        callOf('openUploads', prefix, o),
        () => inner.openUploads(prefix, o),
        (item) => item.token,
      ),
    read: (key, o) => Promise.resolve(resumingRead(inner, options, key, o?.range, o?.signal)),
    beginUpload: async (key, o) => {
      const upload = await patiently(options, 'beginUpload', o?.signal, () => inner.beginUpload(key, o));
      return retriedUpload(inner, key, upload);
    },
  });

  return (inner) => over(noticing(inner, line, given.clock));

  function retriedUpload(inner: Backend, key: string, upload: Upload): Upload {
    const sizes = new Map<number, number>();
    return {
      token: upload.token,
      async writePart(index, bytes, o) {
        await patiently(options, 'writePart', o?.signal, () => upload.writePart(index, bytes, o));
        sizes.set(index, bytes.byteLength);
      },
      complete: (o) => {
        const size = [...sizes.values()].reduce((sum, part) => sum + part, 0);
        return completeSurely(inner, options, { key, size, upload }, o);
      },
      abort: (o) => patiently(options, 'abort', o?.signal, () => upload.abort(o)),
    };
  }
}
