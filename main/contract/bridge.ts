import type { Reply } from './answer.ts';
import type { ServiceEvent } from './events.ts';

/** What the app's preload puts into the window as `holdfast`; a browser has none and speaks HTTP. */
export interface Bridge {
  /** `ticket`: what it can be cancelled by. */
  call(name: string, request: unknown, ticket?: string): Promise<Reply>;
  /** Nobody waits for this call any more. */
  cancel(ticket: string): void;
  /** Returns how to stop. */
  subscribe(listener: (event: ServiceEvent) => void): () => void;
}

/** What crosses between the window and the app: calls with their replies, what is given up, and events. */
export const channels = { call: 'holdfast:call', cancel: 'holdfast:cancel', event: 'holdfast:event' } as const;
