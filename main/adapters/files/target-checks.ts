import { homedir } from 'node:os';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { pathFromBytes } from '../../engine/archive/byte-path.ts';
import { isRestoresOwn } from '../../engine/archive/own-files.ts';
import type { PrepareRequest } from '../../engine/snapshots/restore-target.ts';
import type { FileCalls } from './file-calls.ts';
import { look, parentOf, shown } from './file-calls.ts';
import { readMounts, within } from './mounts.ts';
import type { Home, Target } from './restore-places.ts';
import { besideHome, insideHome } from './restore-places.ts';

/** Folders that make up the system. A server may live below some of them, never in their place. */
const systemFolders = new Set(
  [
    '',
    'bin',
    'boot',
    'dev',
    'dev/shm',
    'etc',
    'home',
    'lib',
    'lib32',
    'lib64',
    'libx32',
    'media',
    'mnt',
    'opt',
    'proc',
    'root',
    'run',
    'sbin',
    'srv',
  ]
    .concat(['sys', 'tmp', 'usr', 'usr/bin', 'usr/lib', 'usr/local', 'usr/sbin', 'usr/share', 'var', 'var/lib', 'var/log', 'var/tmp'])
    .concat(['Applications', 'Library', 'System', 'Users'])
    .map((name) => `/${name}`),
);

/** Made by the kernel: nothing can be restored there. Below /dev/shm lies ordinary memory. */
function isKernels(path: Buffer): boolean {
  const below = (folder: string): boolean => within(Buffer.from(folder), path);
  return below('/proc') || below('/sys') || (below('/dev') && !below('/dev/shm'));
}

export interface CheckedTarget {
  readonly home: Home;
  /** A folder stands there. */
  readonly exists: boolean;
  /** It holds something that is not our own. */
  readonly hasContent: boolean;
}

/** Faults: config-invalid, permission-denied. Changes nothing. */
export async function checkTarget(calls: FileCalls, target: Target, request: PrepareRequest): Promise<CheckedTarget> {
  const path = shown(target.path);
  const refused = (why: string): Fault =>
    new Fault('config-invalid', `the target ${path} ${why}`, { operation: 'restore', context: saying('target-refused', { target: path }) });
  const atHome = path === homedir();
  if (systemFolders.has(path) && !atHome) throw refused('is a folder of the system');
  if (isKernels(target.path)) throw refused('lies where the kernel keeps its own');

  const found = await look(calls, target.path);
  if (found !== null && !found.isDirectory()) throw refused('is not a folder');
  if (found === null) {
    if ((await look(calls, target.existing))?.isDirectory() !== true)
      throw refused(`lies below ${shown(target.existing)}, which is not a folder`);
    if (!(await calls.mayChange(target.existing))) throw denied(target.existing);
    return { home: besideHome(target.path), exists: false, hasContent: false };
  }

  const points = (await readMounts()).map((mount) => mount.point);
  const inner = points.find((point) => within(target.path, point) && !point.equals(target.path));
  if (inner !== undefined && !request.partial) {
    throw refused(
      `has something mounted inside it (${shown(inner)}), which a restore would tear away; unmount it first, or restore parts with --include`,
    );
  }
  const parent = await calls.lstat(parentOf(target.path));
  const mounted = found.dev !== parent.dev || points.some((point) => point.equals(target.path));
  const me = process.geteuid === undefined ? 0n : BigInt(process.geteuid());
  // In a folder like /tmp a name may be changed only by the owner of what it names or of the folder.
  const sticky = (parent.mode & 0o1000n) !== 0n && me !== 0n && me !== found.uid && me !== parent.uid;
  const inside = mounted || sticky || !(await calls.mayChange(parentOf(target.path)));
  const home = inside ? insideHome(target.path) : besideHome(target.path);

  const hasContent = await holdsContent(calls, home);
  if (hasContent && !request.replace)
    throw refused(
      `is not empty; --replace exchanges ${request.partial ? 'what is asked for, leaves the rest,' : 'its content'} and keeps the former one for undo`,
    );
  if (atHome && !request.replace) throw refused('is your home folder; --replace is needed');
  if ((inside || (request.partial && hasContent)) && !(await calls.mayChange(target.path))) throw denied(target.path);
  return { home, exists: true, hasContent };
}

/** What lies directly in the target without being part of a server: our own files, and ext4's box for lost ones. */
export function staysInPlace(home: Home): (name: Buffer) => boolean {
  if (home.kind === 'beside') return () => false;
  return (name) => isRestoresOwn(pathFromBytes(name)) || name.equals(Buffer.from('lost+found'));
}

async function holdsContent(calls: FileCalls, home: Home): Promise<boolean> {
  const stays = staysInPlace(home);
  for await (const name of calls.names(home.target)) {
    if (!stays(name)) return true;
  }
  return false;
}

function denied(folder: Buffer): Fault {
  return new Fault('permission-denied', `${shown(folder)} may not be written by this user, and its parent neither`, {
    operation: 'restore',
    context: { folder: shown(folder) },
  });
}
