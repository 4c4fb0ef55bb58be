import { Fault } from '../contract/faults.ts';
import type { Ports } from './ports.ts';

/** Where links of the page may lead: the providers' sign-ins, and where keys and client ids are made. */
export const openOrigins: readonly string[] = [
  'https://accounts.google.com',
  'https://console.cloud.google.com',
  'https://www.dropbox.com',
  'https://secure.backblaze.com',
  'https://github.com',
];

/** Opens a link in the system's browser, of these origins only: the system would also start programs by their addresses. */
export async function openLink(shell: Ports['shell'], link: string): Promise<void> {
  const url = URL.parse(link);
  if (url === null || !openOrigins.includes(url.origin) || url.username !== '' || url.password !== '') {
    throw new Fault('permission-denied', 'the app opens no links to this address', {
      operation: 'open a link',
      context: { next: 'Copy the link and open it in your browser.' },
    });
  }
  await shell.openExternal(url.href);
}
