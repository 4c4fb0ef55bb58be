import type { EventName, ServiceEvent } from '../../main/contract/events.ts';
import { session } from './session.svelte.ts';
import './bridge.ts';

/** Every one of the contract: the type lets none be left out. */
const heard: Readonly<Record<EventName, true>> = {
  ...{ job: true, 'job-log': true, server: true, 'server-removed': true },
  ...{ 'destinations-changed': true, 'destination-check': true, notice: true, 'sign-in': true },
};
const names = Object.keys(heard) as readonly EventName[];

export interface Listener {
  readonly event: (event: ServiceEvent) => void;
  /** The line is there, for the first time or again: what is known may be old. */
  readonly open: () => void;
  readonly lost: () => void;
}

/** A service that restarts is back in about that time. */
const restMs = 2_000;

/** Listens until told to stop. A browser's line that breaks is taken up again by itself. */
export function listen(listener: Listener): () => void {
  if (window.holdfast !== undefined) {
    const stop = window.holdfast.subscribe(listener.event);
    listener.open();
    return stop;
  }
  const end = new AbortController();
  void follow(listener, end.signal);
  return () => end.abort();
}

async function follow(listener: Listener, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const signedIn = await hear(listener, signal);
    if (signal.aborted) return;
    listener.lost();
    await (signedIn ? rest(signal) : session.signedIn(signal));
  }
}

/** Hears all until the line ends. An EventSource would do that, but sends no header. Settles to whether this page may listen at all. */
async function hear(listener: Listener, signal: AbortSignal): Promise<boolean> {
  const response = await fetch('/api/events', { headers: session.headers(), cache: 'no-store', signal }).catch(() => null);
  if (response?.status === 401) return false;
  // Never there, or no line: the listener is told, whichever it was.
  if (response?.ok !== true || response.body === null) return true;
  listener.open();
  let text = '';
  for await (const piece of pieces(response.body)) {
    text += piece;
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      try {
        take(message, listener);
      } catch (error) {
        // Of one event; the next ones are heard all the same.
        window.reportError(error);
      }
    }
  }
  return true;
}

/** As it comes, until it ends or breaks. Not every browser walks through a stream by itself. */
async function* pieces(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done || value === undefined) return;
    yield value;
  }
}

/** Its fields each in a line; a comment, that the line is still there, has none. */
function take(message: string, listener: Listener): void {
  const fields = message.split('\n');
  const event = names.find((name) => fields.includes(`event: ${name}`));
  const data = fields.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  if (event !== undefined) listener.event({ event, data: JSON.parse(data.join('\n')) as never });
}

async function rest(signal: AbortSignal): Promise<void> {
  await new Promise<void>((done) => {
    setTimeout(done, restMs);
    signal.addEventListener('abort', () => done(), { once: true });
  });
}
