import { answer, type Reply } from '../contract/answer.ts';
import type { CallHandlers } from '../contract/calls.ts';

export interface CancellableCalls {
  /** `ticket`: what whoever calls will name it by, should it be given up. */
  answer(name: string, request: unknown, ticket?: unknown): Promise<Reply>;
  /** Ended or unknown: nothing. */
  cancel(ticket: unknown): void;
}

/** Calls from where no connection that breaks off says that nobody waits any more. */
export function cancellableCalls(handlers: () => Promise<CallHandlers>, signal: AbortSignal): CancellableCalls {
  const open = new Map<unknown, AbortController>();
  return {
    async answer(name, request, ticket) {
      if (ticket === undefined) return await answer(await handlers(), name, request, signal);
      const stop = new AbortController();
      open.set(ticket, stop);
      try {
        return await answer(await handlers(), name, request, AbortSignal.any([signal, stop.signal]));
      } finally {
        open.delete(ticket);
      }
    },
    cancel: (ticket) => open.get(ticket)?.abort(),
  };
}
