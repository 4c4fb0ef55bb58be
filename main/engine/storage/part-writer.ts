import { asFault, Fault } from '../../contract/faults.ts';
import type { Backend, CallOptions, KnownChecksums, ObjectInfo, ObjectKey } from './backend.ts';
import { cancelledFault, disregard, linkedAbort } from './cancel.ts';
import { differing } from './checksum.ts';
import { permits } from './layers/concurrency.ts';
import { removeWrong } from './remove-wrong.ts';

/**
 * One object, given part by part by a producer that has whole parts in memory, which may be shared memory.
 * `finish` or `abort` must be called at the end; `abort` after `finish` does nothing, so it may stand in a `finally`.
 */
export interface PartWriter {
  readonly token: string;
  /**
   * The next part. May be called again before it settles; at most `maxInFlight` parts are under way, the others wait. Settles when the
   * memory may be used for something else. After a failure every call rejects with that first fault.
   * Only the last part may be smaller than minPart or no multiple of partMultiple.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Waits for all parts and makes the object visible. A checksum of the provider's that differs from `known` is fault corrupt, the object removed. */
  finish(known?: KnownChecksums): Promise<ObjectInfo>;
  /** Stops what is under way and leaves nothing behind. */
  abort(): Promise<void>;
}

export interface PartWriterOptions extends CallOptions {
  readonly maxInFlight?: number | undefined;
  readonly sizeHint?: number | undefined;
  readonly ifAbsent?: boolean | undefined;
}

export async function openPartWriter(backend: Backend, key: ObjectKey, options: PartWriterOptions = {}): Promise<PartWriter> {
  const { limits } = backend.info;
  const slots = permits(Math.max(1, Math.min(options.maxInFlight ?? limits.parallelParts, limits.parallelParts)));
  const underWay = new Set<Promise<void>>();
  const upload = await backend.beginUpload(key, {
    signal: options.signal,
    ...(options.sizeHint === undefined ? {} : { sizeHint: options.sizeHint }),
    ...(options.ifAbsent === undefined ? {} : { ifAbsent: options.ifAbsent }),
  });
  const link = linkedAbort(options.signal);
  let nextIndex = 0;
  let lastPartSeen = false;
  let failure: Fault | undefined;
  let state: 'open' | 'finishing' | 'completed' | 'aborted' = 'open';

  function fail(error: unknown): Fault {
    failure ??= options.signal?.aborted === true ? cancelledFault('upload') : asFault(error, 'writePart');
    link.abort(failure);
    return failure;
  }

  async function send(index: number, bytes: Uint8Array): Promise<void> {
    try {
      const release = await slots.acquire(link.signal, 'writePart');
      try {
        await upload.writePart(index, bytes, { signal: link.signal });
      } finally {
        release();
      }
    } catch (error) {
      throw fail(error);
    }
  }

  async function write(bytes: Uint8Array): Promise<void> {
    if (failure !== undefined) throw failure;
    if (state !== 'open')
      throw new Fault('unexpected', `a part of ${key} came after the end`, { operation: 'writePart', context: { key } });
    if (lastPartSeen)
      throw fail(new Fault('unexpected', `a part of ${key} came after a short one`, { operation: 'writePart', context: { key } }));
    lastPartSeen = bytes.byteLength < limits.minPart || bytes.byteLength % limits.partMultiple !== 0;
    const task = send(nextIndex++, bytes);
    underWay.add(task);
    disregard(task.finally(() => underWay.delete(task)));
    await task;
  }

  async function end(): Promise<void> {
    state = 'aborted';
    link.abort(cancelledFault('upload'));
    await Promise.allSettled(underWay);
    link.release();
    await upload.abort();
  }

  /** `fault`, after the upload has been cleared away; that it could not be is added to it. */
  async function ended(fault: Fault): Promise<Fault> {
    try {
      await end();
      return fault;
    } catch (error) {
      return new Fault(fault.code, fault.message, {
        operation: fault.operation,
        persistence: fault.persistence,
        context: { ...fault.context, leftover: upload.token, leftoverReason: asFault(error, 'abort').message },
        cause: fault,
      });
    }
  }

  return {
    token: upload.token,
    write,
    async finish(known = {}) {
      if (state !== 'open')
        throw failure ?? new Fault('unexpected', `the upload of ${key} is over`, { operation: 'complete', context: { key } });
      state = 'finishing';
      try {
        if (nextIndex === 0) await send(nextIndex++, new Uint8Array(0));
        await Promise.allSettled(underWay);
        if (failure !== undefined) throw failure;
        const info = await upload.complete({ signal: link.signal, known });
        state = 'completed';
        link.release();
        await compare(backend, info, known);
        return info;
      } catch (error) {
        if (state !== 'finishing') throw error;
        throw await ended(fail(error));
      }
    },
    async abort() {
      if (state === 'open') await end();
    },
  };
}

async function compare(backend: Backend, info: ObjectInfo, known: KnownChecksums): Promise<void> {
  const wrong = differing(info, known);
  if (wrong === null) return;
  const { algorithm, theirs, ours } = wrong;
  const fault = new Fault('corrupt', `${info.key} did not arrive as it was sent: the provider's ${algorithm} is ${theirs}, ours ${ours}`, {
    operation: 'complete',
    context: { key: info.key, ...wrong },
  });
  throw await removeWrong(info.key, fault, () => backend.remove(info.key));
}
