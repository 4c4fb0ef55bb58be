import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binFolder, lockFile, modules, pinnedNode } from './places.mjs';

/** Raise it when the steps change, so that finished checkouts are set up anew. */
const recipe = 2;

/** Inside node_modules, so that it goes when the dependencies go. */
const stampFile = join(modules, '.holdfast-setup');

/** What the installed dependencies depend on: the lock file (the pinned Node is in it) and the kind of machine. */
function key() {
  const hash = createHash('sha256').update(readFileSync(lockFile));
  return `${String(recipe)} ${process.platform} ${process.arch} ${hash.digest('hex')}\n`;
}

export function isReady() {
  return existsSync(stampFile) && existsSync(pinnedNode) && existsSync(binFolder) && readFileSync(stampFile, 'utf8') === key();
}

export function markReady() {
  writeFileSync(stampFile, key());
}

export function unmark() {
  rmSync(stampFile, { force: true });
}
