import type { Clock } from '../../engine/ports.ts';
import type { Notifier } from '../../engine/service/notifier.ts';
import type { StateStore } from '../../engine/service/ports.ts';
import type { createService } from '../../engine/service/service.ts';
import { endsWithin, restUntil } from '../../engine/storage/cancel.ts';

export interface LookedAfter {
  readonly clock: Clock;
  readonly store: StateStore;
  readonly service: ReturnType<typeof createService>;
  readonly notifier: Notifier;
  readonly onProblem: (message: string, error: unknown) => void;
}

const everyMs = 60_000;
const patienceMs = 20_000;

/** Each minute until the signal: lets servers go on that were left at rest, and tells of what nobody would learn from any job. */
export async function lookAfterServers({ clock, store, service, notifier, onProblem }: LookedAfter, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await restUntil(clock, everyMs, signal);
    if (signal.aborted) return;
    try {
      // What could not be written before is written once it can be. A place where either hangs must not keep anybody from being told.
      await endsWithin(clock, patienceMs, Promise.all([service.letGoOn(), store.flush()]));
      notifier.look(service.looked(), (slug) => service.overdueSince(slug), service.stuck);
    } catch (error) {
      // The watch goes on: the next round may know better.
      onProblem('the servers could not be looked after', error);
    }
  }
}
