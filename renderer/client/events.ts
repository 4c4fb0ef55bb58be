import type { EventName, ServiceEvent } from '../../main/contract/events.ts';
import './bridge.ts';

const names: readonly EventName[] = ['job', 'job-log', 'server', 'server-removed', 'destinations-changed', 'notice', 'sign-in'];

export interface Listener {
  readonly event: (event: ServiceEvent) => void;
  /** The line is there, for the first time or again: what is known may be old. */
  readonly open: () => void;
  readonly lost: () => void;
}

/** Listens until told to stop. A browser's line that breaks is taken up again by itself. */
export function listen(listener: Listener): () => void {
  if (window.holdfast !== undefined) {
    const stop = window.holdfast.subscribe(listener.event);
    listener.open();
    return stop;
  }
  const source = new EventSource('/api/events');
  source.addEventListener('open', listener.open);
  source.addEventListener('error', listener.lost);
  for (const name of names) {
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      listener.event({ event: name, data: JSON.parse(data) as never });
    });
  }
  return () => source.close();
}
