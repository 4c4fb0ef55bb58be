import { asFault } from '../../contract/faults.ts';
import type { DestinationCheck } from '../../contract/reports.ts';
import type { Backend } from './backend.ts';
import { checkDestination, failedCheck, type CheckOptions } from './check-destination.ts';

/**
 * Tries settings and secrets without a backup: everything that a backup needs of a destination. Where they make no backend at all, that is the one
 * check, `connect`. Throws only fault cancelled.
 */
export async function* initializeProvider(
  open: () => Promise<Backend>,
  options: CheckOptions,
): AsyncGenerator<DestinationCheck, void, undefined> {
  let backend: Backend;
  options.onBegin?.('connect');
  try {
    backend = await open();
  } catch (error) {
    yield failedCheck('connect', asFault(error, 'connect'));
    return;
  }
  yield* checkDestination(backend, options);
}
