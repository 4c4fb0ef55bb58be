import { Fault } from '../../contract/faults.ts';
import type { Clock } from '../../engine/ports.ts';
import { acquireLock, type Lock } from './lock.ts';

const patienceMs = 10_000;
const pauseMs = 50;

/** Does `work` while this process holds the lock, for which it waits up to ten seconds; then fault locked. */
export async function holdingLock<T>(stateDir: string, name: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  const lock = await patientLock(stateDir, name, clock);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** The lock, once it is free; fault locked when it is not within ten seconds. */
export async function patientLock(stateDir: string, name: string, clock: Clock): Promise<Lock> {
  const until = clock.now() + patienceMs;
  for (;;) {
    try {
      return await acquireLock(stateDir, name);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'locked' || clock.now() > until) throw error;
      await clock.sleep(pauseMs);
    }
  }
}
