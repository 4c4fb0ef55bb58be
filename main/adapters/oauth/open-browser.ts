import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { writeLinkPage } from './link-page.ts';

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  linux: ['xdg-open'],
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/**
 * Asks the system to show an address, without a shell, by a page in `folder` that leads to it (link-page.ts). False where that cannot be: whoever asked
 * shows the address instead. True says that the browser was asked, and not that it could read the page: as a Snap or Flatpak it may see no hidden folder.
 */
export async function openBrowser(address: string, folder: string, platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const url = URL.parse(address);
  const isWeb = url?.protocol === 'https:' || (url?.protocol === 'http:' && url.hostname === '127.0.0.1');
  const [program, ...args] = openers[platform] ?? [];
  if (!isWeb || program === undefined) return false;
  const page = pathToFileURL(await writeLinkPage(folder, address)).href;
  return await new Promise((settle) => {
    const child = spawn(program, [...args, page], { stdio: 'ignore', detached: true });
    child.once('error', () => settle(false));
    child.once('spawn', () => {
      child.unref();
      settle(true);
    });
  });
}

/** What is said where openBrowser was true, before the address itself. */
export const openedNote = 'Your browser opens. If it does not, or may not read the file (a Snap or Flatpak), open this yourself:';
