import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const modules = join(root, 'node_modules');
export const cacheFolder = join(root, '.cache');
export const logFile = join(cacheFolder, 'setup.log');
export const lockFile = join(root, 'package-lock.json');
export const pinnedNode = join(modules, 'node', 'bin', 'node');
/** The folder that puts the pinned Node first on PATH, as `npm run` does. */
export const binFolder = join(modules, '.bin');
