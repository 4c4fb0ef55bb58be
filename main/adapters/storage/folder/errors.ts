import { Fault, type FaultCode, type FaultContext, type Persistence } from '../../../contract/faults.ts';

interface Meaning {
  readonly code: FaultCode;
  readonly persistence?: Persistence;
  readonly says: string;
}

/** What the operating system's errors (errno(3)) mean for a folder that holds backups. */
const meanings: Readonly<Record<string, Meaning>> = {
  ENOENT: { code: 'not-found', says: 'does not exist' },
  EEXIST: { code: 'already-exists', says: 'exists already' },
  EACCES: { code: 'permission-denied', says: 'may not be used by this account' },
  EPERM: { code: 'permission-denied', says: 'may not be used by this account' },
  EROFS: { code: 'permission-denied', says: 'lies on a file system that is read-only' },
  ENOSPC: { code: 'disk-full', says: 'found no space left on the disk' },
  EDQUOT: { code: 'disk-full', says: 'found no space left in the disk quota' },
  EFBIG: { code: 'unsupported', says: 'is larger than files can be on this file system' },
  ENAMETOOLONG: { code: 'config-invalid', says: 'has a name too long for this file system' },
  EINVAL: { code: 'config-invalid', says: 'was refused by this file system' },
  ELOOP: { code: 'config-invalid', says: 'is a symbolic link' },
  ENOTDIR: { code: 'config-invalid', says: 'has a file where a folder should be' },
  EISDIR: { code: 'config-invalid', says: 'is a folder where a file should be' },
  // A disk or cable that fails reads often works at the next try; when it does not, the tries end soon.
  EIO: { code: 'unavailable', says: 'could not be read or written by the disk' },
  ENXIO: { code: 'unavailable', says: 'lies on a device that is not there' },
  ENODEV: { code: 'unavailable', says: 'lies on a device that is not there' },
  EMFILE: { code: 'unavailable', says: 'could not be opened: too many open files' },
  ENFILE: { code: 'unavailable', says: 'could not be opened: too many open files' },
  ENOMEM: { code: 'unavailable', says: 'could not be handled for lack of memory' },
  EAGAIN: { code: 'unavailable', says: 'is busy' },
  EBUSY: { code: 'unavailable', says: 'is busy' },
  ESTALE: { code: 'unavailable', says: 'has moved on the network drive' },
  ETIMEDOUT: { code: 'timeout', says: 'did not answer in time' },
  EHOSTDOWN: { code: 'unavailable', says: 'lies on a network drive that does not answer' },
  EHOSTUNREACH: { code: 'unavailable', says: 'lies on a network drive that does not answer' },
  ENOTCONN: { code: 'unavailable', says: 'lies on a network drive that is not connected' },
  ECONNRESET: { code: 'unavailable', says: 'lies on a network drive that broke the connection' },
};

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The one mapping of this backend's foreign errors. `what` is the object or path that was handled. */
export function toFault(error: unknown, operation: string, what: string, context: FaultContext = {}): Fault {
  if (error instanceof Fault) return error;
  const errno = errnoOf(error);
  const meaning = errno === undefined ? undefined : meanings[errno];
  if (errno === undefined || meaning === undefined) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault('unexpected', `${operation} of ${what} failed: ${reason}`, { operation, context, cause: error });
  }
  return new Fault(meaning.code, `${what} ${meaning.says} (${errno})`, { operation, context: { ...context, errno }, cause: error });
}

/** `work`, its errors as faults. */
export async function mapped<T>(operation: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFault(error, operation, what, { key: what });
  }
}
