import { readFile, readdir, readlink } from 'node:fs/promises';
import { Fault } from '../../contract/faults.ts';
import { isErrno, shown } from './file-calls.ts';
import { readMounts, seenAs, within } from './mounts.ts';

export interface Use {
  readonly pid: number;
  readonly command: string;
  /** What of the process lies inside, in words: `working folder`, `open file` … */
  readonly what: string;
  readonly path: string;
}

export interface Uses {
  readonly found: readonly Use[];
  /** Processes of other users, which may not be looked into. */
  readonly hidden: number;
}

/** A process that vanished, or one of another user. */
const gone = ['ENOENT', 'ESRCH', 'EINVAL', 'EIO'] as const;
const forbidden = ['EACCES', 'EPERM'] as const;

/**
 * Which other processes have working folder, root, program, an open or a mapped file inside `folder`, also when they run in a
 * container that sees the folder under another name. Linux only; elsewhere nothing is found.
 */
export async function findUses(folder: Buffer, self = process.pid): Promise<Uses> {
  const found: Use[] = [];
  let hidden = 0;
  const ours = await readMounts();
  const ownMounts = await link('/proc/self/ns/mnt');
  for (const pid of await processes()) {
    if (pid === self) continue;
    const theirMounts = await link(`/proc/${pid}/ns/mnt`);
    if (theirMounts === 'forbidden') hidden++;
    const elsewhere = theirMounts instanceof Buffer && ownMounts instanceof Buffer && !theirMounts.equals(ownMounts);
    const names = elsewhere ? seenAs(folder, ours, await readMounts(`/proc/${pid}/mountinfo`)) : [folder];
    if (names.length === 0) continue;
    const use = await useOf(pid, (path) => names.some((name) => within(name, path)));
    if (use !== null) found.push({ pid, command: await commandOf(pid), what: use.what, path: shown(use.path) });
  }
  return { found, hidden };
}

/** Faults: locked, naming process and path. Returns how many processes could not be looked into. */
export async function refuseWhenUsed(folder: Buffer, operation: string): Promise<number> {
  const { found, hidden } = await findUses(folder);
  const [first] = found;
  if (first === undefined) return hidden;
  const more = found.length > 1 ? `, and ${found.length - 1} more` : '';
  throw new Fault(
    'locked',
    `${shown(folder)} is in use: process ${first.pid} (${first.command}) has its ${first.what} at ${first.path}${more}; stop it first, or use --force`,
    { operation, context: { target: shown(folder), pid: first.pid, command: first.command, path: first.path } },
  );
}

async function useOf(pid: number, inside: (path: Buffer) => boolean): Promise<{ what: string; path: Buffer } | null> {
  for (const [name, what] of [
    ['cwd', 'working folder'],
    ['root', 'root folder'],
    ['exe', 'program'],
  ] as const) {
    const path = await link(`/proc/${pid}/${name}`);
    if (path instanceof Buffer && inside(path)) return { what, path };
  }
  for (const fd of await list(`/proc/${pid}/fd`)) {
    const path = await link(`/proc/${pid}/fd/${fd}`);
    if (path instanceof Buffer && inside(path)) return { what: 'open file', path };
  }
  for (const path of await mapped(pid)) {
    if (inside(path)) return { what: 'mapped file', path };
  }
  return null;
}

async function mapped(pid: number): Promise<readonly Buffer[]> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/maps`, 'latin1');
  } catch (error) {
    if (isErrno(error, ...gone, ...forbidden)) return [];
    throw error;
  }
  const paths = new Set<string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('/');
    if (at >= 0) paths.add(line.slice(at).replaceAll('\\012', '\n'));
  }
  return [...paths].map((path) => Buffer.from(path, 'latin1'));
}

async function commandOf(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  } catch (error) {
    if (isErrno(error, ...gone, ...forbidden)) return 'unknown';
    throw error;
  }
}

async function processes(): Promise<readonly number[]> {
  return (await list('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, ...gone, ...forbidden)) return [];
    throw error;
  }
}

async function link(path: string): Promise<Buffer | 'gone' | 'forbidden'> {
  try {
    return await readlink(path, { encoding: 'buffer' });
  } catch (error) {
    if (isErrno(error, ...forbidden)) return 'forbidden';
    if (isErrno(error, ...gone)) return 'gone';
    throw error;
  }
}
