import { asFault, Fault } from '../../../contract/faults.ts';
import type { Backend, CompleteOptions, ObjectInfo, ObjectKey, Upload } from '../backend.ts';
import { differing } from '../checksum.ts';
import { isUploadEnded, wasLookedAt } from '../upload-ended.ts';
import { patience, patiently, type Retrying } from './patience.ts';

/**
 * complete(), settled also when the reply to a call that had worked was lost. It is called again first: only a provider that no
 * longer knows the upload shows that it has become the object. To take any object of the right size for ours would be wrong, it may
 * be the older one that a call which never arrived should have replaced. An upload may also have ended in any other way, so that the checksum decides
 * where there is one; what is not ours is left as it is.
 *
 * `already-exists` after a lost reply may mean our own object; its context then has `afterLostReply`, and whoever still has
 * the bytes can compare.
 */
export async function completeSurely(
  inner: Backend,
  options: Retrying,
  { key, size, upload }: { readonly key: ObjectKey; readonly size: number; readonly upload: Upload },
  { signal, known = {} }: CompleteOptions = {},
): Promise<ObjectInfo> {
  const limit = patience(options, 'complete', signal);
  let replyLost = false;
  for (;;) {
    try {
      return await upload.complete({ signal, known });
    } catch (error) {
      const fault = asFault(error, 'complete');
      if (replyLost && !wasLookedAt(fault) && (isUploadEnded(fault) || fault.code === 'not-found')) return await settled(fault);
      if (replyLost && fault.code === 'already-exists') {
        throw new Fault(fault.code, fault.message, {
          operation: 'complete',
          context: { ...fault.context, key, afterLostReply: 'yes' },
          cause: fault,
        });
      }
      await limit.afterFailure(fault);
      replyLost = true;
    }
  }

  async function settled(fault: Fault): Promise<ObjectInfo> {
    const info = await patiently(options, 'stat', signal, () => inner.stat(key, { signal })).catch((error: unknown) => {
      // It has become nothing: what it was ended by is the news, not that there is no object.
      throw error instanceof Fault && error.code === 'not-found' ? fault : error;
    });
    if (differing(info, known) !== null) throw fault;
    if (info.size === size) return info;
    throw new Fault('unexpected', `the upload of ${key} is gone, and what stands there has ${info.size} bytes instead of ${size}`, {
      operation: 'complete',
      context: { key, size, found: info.size },
      cause: fault,
    });
  }
}
