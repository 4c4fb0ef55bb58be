import type { CallHandlers } from '../../contract/calls.ts';
import { permits } from '../storage/layers/concurrency.ts';

/** Reads that go through one manifest after the other, or through all of one. All others ask a place for a few objects at most. */
const longReads = ['snapshots.list', 'snapshot.search', 'snapshot.changes', 'cleanup.preview', 'destination.servers'] as const;

/** Fewer than a backend has permits (stack.ts), so that whatever long reads hold, a short one finds a connection free. */
const longAtOnce = 3;

/**
 * Lets only a few long reads run at once, first come, first served; short ones pass. Without it, ten searches that were begun one after the other would
 * hold every connection to a place and share one processor. A read that is given up while it waits leaves the queue: fault cancelled.
 */
export function longReadsInTurn<Some extends Pick<CallHandlers, (typeof longReads)[number]>>(handlers: Some): Some {
  const turns = permits(longAtOnce);
  const inTurn = longReads.map((name) => {
    // One name with its own request: what the type cannot say for a union of names.
    const handler = handlers[name] as (request: unknown, signal: AbortSignal) => Promise<unknown>;
    const turned = async (request: unknown, signal: AbortSignal): Promise<unknown> => {
      const release = await turns.acquire(signal, name);
      try {
        return await handler(request, signal);
      } finally {
        release();
      }
    };
    return [name, turned] as const;
  });
  return { ...handlers, ...Object.fromEntries(inTurn) };
}
