import { Fault } from '../../contract/faults.ts';
import type { Clock, Random } from '../ports.ts';
import type { Backend, CallOptions, ObjectInfo } from './backend.ts';
import { isUploadEnded } from './upload-ended.ts';
import { uploadBytes } from './upload-object.ts';

/** How the names of objects begin that are put only to see what the provider makes of them. No server's folder has a dot in its name. */
export const probePrefix = 'holdfast.test-';

/** So many backups of other computers would have to begin at just that moment, one after the other. */
const mostProbes = 5;

/**
 * The provider's time minus ours, in milliseconds, from the stamp of a tiny object that is put below `folderPrefix` (empty, or ending
 * in `/`) and removed again. 0 when the stamp lies between the beginning and the end of the call: it cannot be known better.
 */
export async function measureClockOffset(
  backend: Backend,
  folderPrefix: string,
  clock: Clock,
  random: Random,
  options: CallOptions = {},
): Promise<number> {
  for (let left = mostProbes; ; left--) {
    const key = `${folderPrefix}${probePrefix}${randomName(random)}`;
    try {
      return (await timedPut(backend, key, new Uint8Array(1), clock, options)).offsetMs;
    } catch (error) {
      if (left <= 1 || !hasVanished(error)) throw error;
    } finally {
      await backend.remove(key).catch(unlessDenied);
    }
  }
}

/** Another computer that backs up there takes it for what a killed run left. */
function hasVanished(error: unknown): boolean {
  return isUploadEnded(error) || (error instanceof Fault && error.code === 'not-found');
}

/** Takes away what was left by who was killed in between. Ends at the first that may not be deleted. */
export async function sweepProbes(backend: Backend, probes: readonly ObjectInfo[], options: CallOptions): Promise<void> {
  try {
    for (const { key } of probes) await backend.remove(key, options);
  } catch (error) {
    unlessDenied(error);
  }
}

/** Keys that may not delete still back up; a prune with others sweeps the object away. */
function unlessDenied(error: unknown): void {
  if (!(error instanceof Fault) || error.code !== 'permission-denied') throw error;
}

export async function timedPut(
  backend: Backend,
  key: string,
  bytes: Uint8Array,
  clock: Clock,
  options: CallOptions,
): Promise<{ readonly info: ObjectInfo; readonly offsetMs: number }> {
  const before = clock.now();
  const info = await uploadBytes(backend, key, bytes, options);
  const after = clock.now();
  const offsetMs = info.modifiedAt < before ? info.modifiedAt - before : Math.max(0, info.modifiedAt - after);
  return { info, offsetMs };
}

export function randomName(random: Random): string {
  return random.bytes(8).reduce((name, byte) => name + byte.toString(16).padStart(2, '0'), '');
}
