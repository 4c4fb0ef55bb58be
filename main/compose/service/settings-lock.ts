import { acquireLock, lockHolder, type Lock } from '../../adapters/system/lock.ts';
import { Fault } from '../../contract/faults.ts';
import { isForbidden } from '../errno.ts';
import type { ServicePlaces } from './places.ts';

const lockName = 'settings';

/**
 * Two locks for who works with the settings: one in the state folder, by which commands find the service, and one beside the settings, for whoever has
 * another state folder. Held by another: fault locked, with its pid; with `context.settings` where it has another state folder. `take`: how each is taken.
 */
export async function lockSettings(places: ServicePlaces, take: typeof acquireLock = acquireLock): Promise<Lock> {
  const own = await take(places.stateDir, places.lock);
  try {
    const beside = await lockBeside(places, take);
    return {
      async release() {
        await beside?.release();
        await own.release();
      },
    };
  } catch (error) {
    await own.release();
    throw error;
  }
}

/** Null where nothing may be written beside the settings: the one in the state folder is all there can be then. */
async function lockBeside({ configDir }: ServicePlaces, take: typeof acquireLock): Promise<Lock | null> {
  try {
    return await take(configDir, lockName);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (isForbidden(error.cause)) return null;
    throw error.code === 'locked' ? elsewhere(configDir, error.context['pid'], error) : error;
  }
}

/** That somebody works with these settings and another state folder; null where nobody does. Where it cannot be seen, nobody does. */
export async function heldElsewhere({ configDir, stateDir, lock }: ServicePlaces): Promise<Fault | null> {
  if ((await lockHolder(stateDir, lock)) !== null) return null;
  try {
    const holder = await lockHolder(configDir, lockName);
    return holder === null ? null : elsewhere(configDir, holder.pid);
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
}

function elsewhere(settings: string, pid: string | number | undefined, cause?: Fault): Fault {
  return new Fault('locked', `process ${String(pid)} works with the settings in ${settings}, and with another state folder`, {
    operation: 'work with the settings',
    context: {
      ...{ pid: pid ?? '', settings },
      next: 'Set HOLDFAST_STATE_DIR as that process has it, so that it can be asked; or end it first.',
    },
    ...(cause === undefined ? {} : { cause }),
  });
}
