import { isErrno, join } from './file-calls.ts';
import { readFile } from 'node:fs/promises';

/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  /** `major:minor` */
  readonly device: string;
  /** The folder of the file system that is mounted. */
  readonly root: Buffer;
  /** Where it is seen. */
  readonly point: Buffer;
}

/** Later mounts cover earlier ones. Empty where there is no /proc. */
export async function readMounts(path = '/proc/self/mountinfo'): Promise<readonly Mount[]> {
  let text: string;
  try {
    text = await readFile(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'EINVAL')) return [];
    throw error;
  }
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [, , device, root, point] = line.split(' ');
    if (device !== undefined && root !== undefined && point !== undefined)
      mounts.push({ device, root: unescape(root), point: unescape(point) });
  }
  return mounts;
}

/** Whether `path` is `folder` or lies below it. */
export function within(folder: Buffer, path: Buffer): boolean {
  if (folder.equals(path)) return true;
  const start = folder.at(-1) === 0x2f ? folder : Buffer.concat([folder, Buffer.from('/')]);
  return path.subarray(0, start.length).equals(start);
}

/**
 * The paths under which another process, with mounts of its own (a container), sees `folder` or a part of it. `ours` are the mounts
 * under which `folder` is named.
 */
export function seenAs(folder: Buffer, ours: readonly Mount[], theirs: readonly Mount[]): readonly Buffer[] {
  const holder = ours
    .filter((mount) => within(mount.point, folder))
    .reduce<Mount | null>((best, mount) => (best !== null && best.point.length > mount.point.length ? best : mount), null);
  if (holder === null) return [];
  const inDevice = join(holder.root, below(holder.point, folder));
  const paths: Buffer[] = [];
  for (const mount of theirs) {
    if (mount.device !== holder.device) continue;
    if (within(mount.root, inDevice)) paths.push(join(mount.point, below(mount.root, inDevice)));
    else if (within(inDevice, mount.root)) paths.push(mount.point);
  }
  return paths;
}

/** The part of `path` after `folder`, which it lies within. */
function below(folder: Buffer, path: Buffer): Buffer {
  const rest = path.subarray(folder.length);
  return rest[0] === 0x2f ? rest.subarray(1) : rest;
}

/** Space, tab, newline and backslash come as three octal digits. */
function unescape(text: string): Buffer {
  return Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8))),
    'latin1',
  );
}
