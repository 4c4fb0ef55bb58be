import { createHash } from 'node:crypto';
import { acquireLock, type Lock } from '../adapters/system/lock.ts';
import { lockedServer } from '../engine/jobs/lock-name.ts';

/** Takes the engine's lock of this name: names hold paths and may be long; a file name must not. Fault locked names the server. */
export function runLock(stateDir: string, name: string): Promise<Lock> {
  const file = `run-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  return acquireLock(stateDir, file, lockedServer(name));
}
