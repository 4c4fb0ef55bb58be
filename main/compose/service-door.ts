import type { Call, CallHandlers } from '../contract/calls.ts';
import type { ServiceEvent } from '../contract/events.ts';

/** The one service of a configuration, for a face that runs in this process. */
export interface ServiceDoor {
  /** It runs in this process and ends with it; else in another one, and goes on without us. */
  readonly isOwn: boolean;
  readonly call: Call;
  /** The same, for requests that come from outside (contract/answer.ts). */
  readonly handlers: CallHandlers;
  subscribe(listener: (event: ServiceEvent) => void): () => void;
  /** The computer has slept or is on another power supply: what is due is looked for at once. */
  lookNow(): void;
  /** Settles when the service has ended, whoever ended it; rejects when it failed. */
  readonly ended: Promise<void>;
  /** Ends what is this process's own. */
  close(): Promise<void>;
}
