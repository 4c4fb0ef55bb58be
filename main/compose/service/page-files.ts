import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { errnoOf } from '../errno.ts';

/** One policy for everything that is served, over HTTP and to the window: nothing from elsewhere, no frames, no forms, nothing kept by caches. */
export const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** The page as set-up builds it from renderer/. */
const folder = new URL('../../../dist/page/', import.meta.url);

/** How the accounts of providers are set up: the page shows it, also where nothing else of the project is. */
const guides = new URL('../../../docs/setup/', import.meta.url);

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.md': 'text/plain; charset=utf-8',
};

export interface PageFile {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** A file of the page by the path of its address, or a guide below /setup/; null where there is none. Names hold no `..`, no dot in front, and one folder at most. */
export async function pageFile(path: string): Promise<PageFile | null> {
  const name = path === '/' ? 'index.html' : path.slice(1);
  const type = types[extname(name)];
  if (type === undefined || !/^(assets\/|setup\/)?[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return null;
  const guide = /^setup\/(.+\.md)$/.exec(name)?.[1];
  try {
    return { content: new Uint8Array(await readFile(guide === undefined ? new URL(name, folder) : new URL(guide, guides))), type };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
