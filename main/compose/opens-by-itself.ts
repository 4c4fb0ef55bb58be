import type { Host } from './host.ts';

/** Keychains that answer without asking anybody. */
export async function opensByItself(host: Pick<Host, 'openSettings'>): Promise<boolean> {
  const { keychain } = await (await host.openSettings()).read();
  return keychain === 'machine-key' || keychain === 'system';
}
