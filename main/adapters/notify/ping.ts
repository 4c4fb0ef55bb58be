import { Fault } from '../../contract/faults.ts';
import type { PingEvent } from '../../engine/service/notifier.ts';
import type { Secrets } from '../../engine/service/settings-ports.ts';
import { post } from './post.ts';

/** healthchecks.io's protocol: the address itself is success, `/start` and `/fail` below it the others; the body is shown there. */
export async function ping(secrets: Secrets, event: PingEvent, text: string, signal: AbortSignal): Promise<void> {
  const url = URL.parse(secrets['url'] ?? '');
  if (url === null) throw new Fault('config-invalid', 'a ping has no address', { operation: 'notify' });
  if (event !== 'success') url.pathname = `${url.pathname.replace(/\/$/, '')}/${event}`;
  await post(url.href, text.slice(0, 10_000), {}, signal);
}
