import { call } from './call.ts';
import { service } from './service.svelte.ts';

/** Opens a page of somebody else: by the desktop where the page is the app's, else in a tab of its own. Faults: permission-denied (not one of the app's). */
export async function openLink(link: string, signal: AbortSignal): Promise<void> {
  if (service.info?.features.includes('open-link') === true) await call('host.openLink', { link }, signal);
  else window.open(link, '_blank', 'noopener,noreferrer');
}
