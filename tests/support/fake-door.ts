import type { ServiceDoor } from '../../main/compose/service-door.ts';
import { handlersOn } from '../../main/compose/handlers-on.ts';
import type { Call, CallHandlers } from '../../main/contract/calls.ts';
import type { ServiceEvent } from '../../main/contract/events.ts';

/** A service that answers what it is told to, and tells what it is told. */
export class FakeDoor implements ServiceDoor {
  readonly isOwn: boolean;
  readonly calls: (readonly [string, unknown])[] = [];
  readonly answers: Partial<CallHandlers>;
  readonly handlers: CallHandlers;
  readonly call: Call;
  readonly end = Promise.withResolvers<undefined>();
  readonly ended: Promise<void> = this.end.promise;
  looks = 0;
  closed = 0;
  closing: () => Promise<void> = () => Promise.resolve();
  #listener: ((event: ServiceEvent) => void) | null = null;

  constructor(isOwn: boolean, answers: Partial<CallHandlers> = {}) {
    this.isOwn = isOwn;
    this.answers = { 'servers.list': async () => [], ...answers };
    this.call = async (name, request, signal) => {
      this.calls.push([name, request]);
      const handler = this.answers[name] as ((request: unknown, signal?: AbortSignal) => Promise<never>) | undefined;
      if (handler === undefined) throw new Error(`the fake answers no ${name}`);
      return await handler(request, signal);
    };
    this.handlers = handlersOn(this.call);
  }
  get isHeard(): boolean {
    return this.#listener !== null;
  }
  subscribe(listener: (event: ServiceEvent) => void): () => void {
    this.#listener = listener;
    return () => void (this.#listener = null);
  }
  tell(event: ServiceEvent): void {
    this.#listener?.(event);
  }
  lookNow(): void {
    this.looks += 1;
  }
  async close(): Promise<void> {
    this.closed += 1;
    await this.closing();
    this.end.resolve(undefined);
  }
}
