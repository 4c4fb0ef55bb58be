import { Fault, type FaultContext } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';

/**
 * The provider no longer knows an upload that is under way. Its parts are gone, so that sending one again helps nothing (persistence exhausted), while a
 * new run begins another upload: fault unavailable, and not not-found, which speaks of an object. `lookedAt`: it has not become what stands under its name,
 * which the backend knows better than a size could tell.
 */
export function uploadEnded(
  operation: string,
  key: string,
  options: { readonly context?: FaultContext; readonly cause?: unknown; readonly lookedAt?: boolean } = {},
): Fault {
  return new Fault(
    'unavailable',
    `${operation} of ${key}: the upload was ended on the way, by the provider, a clean-up rule, another program or another computer`,
    {
      operation,
      persistence: 'exhausted',
      context: {
        key,
        ...options.context,
        ...(options.lookedAt === true ? { lookedAt: 'yes' } : {}),
        ...saying('upload-ended', {}),
        next: 'Run the backup again: finished volumes are kept. If it comes back, look for a rule or a program that clears away unfinished uploads there, and for another computer that backs up under the same name.',
      },
      cause: options.cause,
    },
  );
}

export function isUploadEnded(error: unknown): boolean {
  return error instanceof Fault && error.context['say'] === 'upload-ended';
}

export function wasLookedAt(fault: Fault): boolean {
  return fault.context['lookedAt'] !== undefined;
}
