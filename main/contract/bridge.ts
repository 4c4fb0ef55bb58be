import type { Reply } from './answer.ts';
import type { ServiceEvent } from './events.ts';

/** What the app's preload puts into the window as `holdfast`; a browser has none and speaks HTTP. */
export interface Bridge {
  call(name: string, request: unknown): Promise<Reply>;
  /** Returns how to stop. */
  subscribe(listener: (event: ServiceEvent) => void): () => void;
}

/** What crosses between the window and the app: calls with their replies, and events. */
export const channels = { call: 'holdfast:call', event: 'holdfast:event' } as const;
