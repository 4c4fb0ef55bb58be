import { destinationPassword } from '../contract/secret-names.ts';
import type { Host } from './host.ts';

/** Keychains that answer without asking anybody. */
export async function opensByItself(host: Host): Promise<boolean> {
  const { keychain } = await (await host.openSettings()).read();
  return keychain === 'machine-key' || keychain === 'system';
}

/** The password of a named destination that the service uses, where it is there for the asking; else null. */
export async function keptPassword(host: Host, name: string): Promise<string | null> {
  if (!(await opensByItself(host))) return null;
  return await (await host.openKeychain()).get(destinationPassword(name));
}
