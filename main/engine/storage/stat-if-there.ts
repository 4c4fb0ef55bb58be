import { Fault } from '../../contract/faults.ts';
import type { Backend, CallOptions, ObjectInfo, ObjectKey } from './backend.ts';

/** Null where there is no such object. Asked of the object itself: that a listing lacks one proves nothing. */
export async function statIfThere(backend: Backend, key: ObjectKey, options: CallOptions): Promise<ObjectInfo | null> {
  try {
    return await backend.stat(key, options);
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return null;
    throw error;
  }
}
