import type { Reply } from '../../main/contract/answer.ts';
import type { ServiceEvent } from '../../main/contract/events.ts';

/** What the app's preload puts into the window; a browser has none and speaks HTTP. */
export interface Bridge {
  call(name: string, request: unknown): Promise<Reply>;
  /** Returns how to stop. */
  subscribe(listener: (event: ServiceEvent) => void): () => void;
}

declare global {
  interface Window {
    readonly holdfast?: Bridge;
  }
}
