import { statfs } from 'node:fs/promises';
import type { AccountInfo } from '../../../contract/account-info.ts';
import { Fault } from '../../../contract/faults.ts';

/** Left free whatever is written: a disk that is full to the last byte hurts what else lies on it. */
const reserve = 16 * 1024 * 1024;

/** Throws fault disk-full, with figures, where fewer than `bytes` and a little more are free. */
export async function checkSpace(root: string, key: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free >= bytes + reserve) return;
  const message = `${key} needs ${bytes} bytes, and ${free} are free in ${root} (${reserve} stay free)`;
  throw new Fault('disk-full', message, { operation: 'writePart', context: { key, needed: bytes, free } });
}

/** How full the disk is, as far as this user may fill it. */
export async function diskOf(root: string): Promise<AccountInfo> {
  const { bavail, blocks, bsize } = await statfs(root);
  return { name: root, usedBytes: (blocks - bavail) * bsize, quotaBytes: blocks * bsize };
}
