import type { ServiceEvent } from '../contract/events.ts';
import { asFault } from '../contract/faults.ts';
import type { ServerStatus } from '../contract/server-status.ts';
import type { ServiceDoor } from './service-door.ts';

export interface Follower {
  readonly open: () => Promise<ServiceDoor>;
  /** Another service than before, from now on; null: there is none for the moment. */
  readonly changed: (door: ServiceDoor | null) => void;
  /** It has answered. */
  readonly met: (door: ServiceDoor, servers: readonly ServerStatus[]) => void;
  readonly heard: (event: ServiceEvent) => void;
  /** The face is about to end: no other service is looked for. */
  readonly signal: AbortSignal;
}

/** One that answers that it is there, and then nothing else, so often in a row, does not only restart. */
const mostSilent = 5;

/** Uses the service until it ends; of another process's the place is taken, where that is free. Faults: those of opening, and of a service's first answer. */
export async function followDoor({ open, changed, met, heard, signal }: Follower): Promise<void> {
  for (let silent = 0; ;) {
    const door = await open();
    changed(door);
    const leave = door.subscribe(heard);
    try {
      met(door, await door.call('servers.list', {}));
      silent = 0;
    } catch (error) {
      silent += 1;
      // Another process's service that restarts in this very moment is to be had again in the next.
      if (door.isOwn || silent === mostSilent || asFault(error, 'meet the service').code !== 'unavailable') throw error;
      await door.close();
    }
    await door.ended;
    leave();
    changed(null);
    if (door.isOwn || signal.aborted) return;
  }
}
