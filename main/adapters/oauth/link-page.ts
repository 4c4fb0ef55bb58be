import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../files/replace-file.ts';

/**
 * Pages of one link each. A program that opens a browser is told what to open in its arguments, which every account of this computer can read, and a
 * sign-in link is worth something to whoever uses it first. So it is told of a file of mode 0600 in a folder of this user, which leads on to the link.
 */
const pageName = /^link-[0-9a-f]{32}\.html$/;

/** Where the page of this link lies in the folder: whoever knows the link can remove it. */
function linkPagePath(folder: string, link: string): string {
  return join(folder, `link-${createHash('sha256').update(link).digest('hex').slice(0, 32)}.html`);
}

/** Settles to the page's path. Errors are Node's. */
export async function writeLinkPage(folder: string, link: string): Promise<string> {
  const path = linkPagePath(folder, link);
  await replaceFile(path, pageOf(link));
  return path;
}

export async function removeLinkPage(folder: string, link: string): Promise<void> {
  await rm(linkPagePath(folder, link), { force: true });
}

/** Removes those that were written before this time, milliseconds since 1970: their links are good no more, and nobody waits for them. */
export async function sweepLinkPages(folder: string, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    // Another command may sweep at the same time.
    const found = pageName.test(name) ? await stat(path, { throwIfNoEntry: false }) : undefined;
    if (found !== undefined && found.mtimeMs < before) await rm(path, { force: true });
  }
}

/** It leads on by itself and without a script, and is a plain link where a browser does not follow. */
function pageOf(link: string): string {
  const address = link.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="default-src 'none'">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${address}">
<title>Holdfast</title>
<a href="${address}">Holdfast</a>
`;
}
