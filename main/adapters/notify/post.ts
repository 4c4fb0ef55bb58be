import { Fault } from '../../contract/faults.ts';
import type { NoticeTarget } from '../../contract/notices.ts';
import type { Secrets } from '../../engine/service/settings-ports.ts';

const operation = 'notify';

/** The secret of a target, or fault config-invalid. */
export function needed(secrets: Secrets, name: string, target: NoticeTarget): string {
  const value = secrets[name];
  if (value !== undefined && value !== '') return value;
  throw new Fault('config-invalid', `the notice ${target.name} has no ${name}`, {
    operation,
    context: { next: `Give it with “holdfast notice add ${target.name} …”.` },
  });
}

/** Posts a text and wants a status below 300. Addresses are secrets here: no message names more of one than its host. */
export async function post(address: string, body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const host = URL.parse(address)?.host ?? 'the address';
  let response: Response;
  try {
    response = await fetch(address, { method: 'POST', body, headers: { ...headers }, redirect: 'manual', signal });
  } catch {
    // The error of fetch holds the address.
    const why = signal.aborted ? 'did not answer in time' : 'could not be reached';
    throw new Fault('unavailable', `${host} ${why}`, { operation, context: { host } });
  }
  await response.body?.cancel();
  if (response.ok) return;
  const passes = response.status === 429 || response.status >= 500;
  throw new Fault(passes ? 'unavailable' : 'config-invalid', `${host} answered with status ${response.status}`, {
    operation,
    context: { host, status: response.status, next: 'See that its address and its token are still right.' },
  });
}
