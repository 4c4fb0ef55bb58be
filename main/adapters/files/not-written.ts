import { Fault, type FaultCode } from '../../contract/faults.ts';

/** Why a file of ours could not be written, with its path: disk-full, permission-denied or unexpected. A fault stays as it is. */
export function notWritten(path: string, error: unknown, operation = 'write file'): Fault {
  if (error instanceof Fault) return error;
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new Fault(codeOf(errno), `${path} could not be written${errno === '' ? '' : `: ${errno}`}`, {
    operation,
    context: { path, next: 'See that its folder can be written and that its disk has room.' },
    cause: error,
  });
}

function codeOf(errno: string): FaultCode {
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return 'disk-full';
  return ['EACCES', 'EPERM', 'EROFS'].includes(errno) ? 'permission-denied' : 'unexpected';
}
