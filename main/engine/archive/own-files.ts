import type { BytePath } from './byte-path.ts';

/**
 * The names that a restore gives to what it keeps directly inside a target that is a mount point: journal, undo records, former
 * contents, staging folders. Exactly those: a file of the user's such as `.holdfast-before-christmas.txt` is part of the server.
 */
const ownName = /^\.holdfast-(?:journal(?:\.new)?|(?:undo|before)-\d{8}T\d{6}Z(?:-\d+)?|restore-\d{8}T\d{6}Z-[a-z0-9]{6})$/;

/**
 * True of such an entry at the top of a server's folder and of all below it. It is the way back of a restore and no part of the
 * server, so it is neither backed up nor restored: a journal that came out of a snapshot would tell the next command what to remove.
 */
export function isRestoresOwn(path: BytePath): boolean {
  const end = path.indexOf('/');
  return ownName.test(end < 0 ? path : path.slice(0, end));
}
