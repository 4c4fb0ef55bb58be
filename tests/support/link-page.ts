import { existsSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Where the page of a link leads (main/adapters/oauth/link-page.ts). */
export function hrefIn(page: string): string {
  const href = /<a href="([^"]+)">/.exec(page)?.[1];
  if (href === undefined) throw new Error(`this leads nowhere: ${page}`);
  return href.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&');
}

/** Settles once there is such a file. Its folder must be there. */
export const appears = (path: string): Promise<void> => changes(path, true);

/** Settles once there is no such file. */
export const disappears = (path: string): Promise<void> => changes(path, false);

async function changes(path: string, there: boolean): Promise<void> {
  await new Promise<void>((settle) => {
    const look = (): void => {
      if (existsSync(path) !== there) return;
      watcher.close();
      settle();
    };
    const watcher = watch(dirname(path), look);
    look();
  });
}
