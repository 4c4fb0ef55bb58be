import { asFault } from '../../contract/faults.ts';
import type { DestinationCheck } from '../../contract/reports.ts';
import type { Backend } from './backend.ts';
import { checkDestination, failedCheck, type CheckOptions } from './check-destination.ts';

/**
 * Tries settings and secrets without a backup: the first check, `connect`, is whether they make a backend at all; then everything that a backup
 * needs of it. Throws only fault cancelled.
 */
export async function* initializeProvider(
  open: () => Promise<Backend>,
  options: CheckOptions,
): AsyncGenerator<DestinationCheck, void, undefined> {
  let backend: Backend;
  try {
    backend = await open();
  } catch (error) {
    yield failedCheck('connect', asFault(error, 'connect'));
    return;
  }
  yield { name: 'connect', ok: true, message: `the settings are understood: ${backend.info.label}`, next: '' };
  yield* checkDestination(backend, options);
}
