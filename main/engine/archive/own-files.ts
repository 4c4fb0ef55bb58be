import type { BytePath } from './byte-path.ts';

const leftover = /^\.holdfast-(journal|undo|before|restore)-/;

/**
 * What a restore keeps inside a target that is a mount point: its journal, its staging folder, the former content. It is the way
 * back of that restore and no part of the server.
 */
export function isRestoreLeftover(path: BytePath): boolean {
  return leftover.test(path) && !path.includes('/');
}
