import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFault } from './fault.mjs';
import { lockFile, modules, pinnedNode, root } from './places.mjs';

const built = join(root, 'dist', 'page');
/** Beside what was built: what it was built from. */
const stampFile = join(root, 'dist', 'page.stamp');

/** Sources of the page, the contract whose types and texts it takes, and what builds them. */
function key() {
  const hash = createHash('sha256').update(readFileSync(lockFile));
  for (const folder of ['renderer', join('main', 'contract')]) {
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      // Node 20 before 20.12 calls it path.
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .sort();
    for (const file of entries) hash.update(`${file.slice(root.length)}\0`).update(readFileSync(file));
  }
  for (const file of ['vite.config.ts', 'svelte.config.js']) hash.update(readFileSync(join(root, file)));
  return `${hash.digest('hex')}\n`;
}

export function pageIsBuilt() {
  return existsSync(join(built, 'index.html')) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === key();
}

/** Builds the page into dist/page. */
export function buildPage() {
  const vite = spawnSync(pinnedNode, [join(modules, 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (vite.status !== 0) throw new SetupFault(`the page could not be built:\n${vite.stdout}${vite.stderr}`);
  writeFileSync(stampFile, key());
}
