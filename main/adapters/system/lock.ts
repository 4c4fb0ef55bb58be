import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { hasEnded, listenAlive, removeAlive, type AliveSocket } from './alive-socket.ts';
import { isElsewhere, mayBeRunning, thisProcess } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface Lock {
  /** Lets go; a second call does nothing. */
  release(): Promise<void>;
}

/**
 * Takes the lock `name` for this process until release() or the end of the process, however it ends: one holder on one computer.
 * A holder that is stopped still holds. Held by another: fault locked, which says `what` is in use, with its pid and since when. Never waits.
 *
 * A lock is a folder `<state folder>/locks/<name>.lock` with exactly one empty file in it, whose name says who holds the lock.
 * Every name is used once, and every change is a rename of that file: of all who have seen one state, the file system lets
 * exactly one move on from it, and the others find their source gone and look again. So nobody can remove a lock that was taken
 * over since they judged it dead. See docs/decisions/0033-locks-are-renames.md.
 */
export async function acquireLock(stateDir: string, name: string, what = name): Promise<Lock> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name)) {
    throw new Fault('config-invalid', `'${name}' cannot name a lock`, { operation: 'take lock', context: { lock: name } });
  }
  const folder = join(stateDir, 'locks', `${name}.lock`);
  const mine = heldName(thisProcess(), Date.now(), token());
  let alive: AliveSocket | null = null;
  try {
    alive = await listenBeside(folder, mine);
    await take(folder, { name, what }, mine);
  } catch (error) {
    await alive?.close();
    if (error instanceof Fault) throw error;
    throw new Fault('config-invalid', `the lock ${folder} cannot be taken: check the state folder`, {
      operation: 'take lock',
      context: { lock: name, path: folder },
      cause: error,
    });
  }
  let released: Promise<void> | undefined;
  return { release: () => (released ??= letGo(folder, mine).finally(() => alive?.close())) };
}

/** Who holds the lock now, without touching it; null when nobody does, or nobody known. */
export async function lockHolder(stateDir: string, name: string): Promise<{ readonly pid: number } | null> {
  const folder = join(stateDir, 'locks', `${name}.lock`);
  for (const state of await statesIn(folder)) {
    const holder = parseHeld(state);
    if (holder !== undefined && !(await isGone(holder, folder))) return { pid: holder.pid };
  }
  return null;
}

interface Named {
  readonly name: string;
  /** For people. */
  readonly what: string;
}

/** Each round but the last ends because somebody else moved on; so many in a row mean that something else is wrong. */
const rounds = 1000;

async function take(folder: string, { name, what }: Named, mine: string): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const states = await statesIn(folder);
    // While a rename is under way a listing may show both names, or none.
    for (const state of states) await refuseIfHeld(state, { name, what }, folder);
    const state = states[0];
    if (state === undefined) await bear(folder);
    else if (await movedOn(folder, state, mine)) {
      const former = parseHeld(state);
      if (former !== undefined) await removeAlive(dirname(folder), former.token);
      return;
    }
  }
  throw new Fault('config-invalid', `the lock ${folder} holds what is not ours: look into it`, {
    operation: 'take lock',
    context: { lock: name, path: folder },
  });
}

/** Makes the folder with its first file in one step. Where it has come to be in the meantime, it stays as it is. */
async function bear(folder: string): Promise<void> {
  const fresh = `${folder}.${token()}`;
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(fresh, freeName()), '', { mode: 0o600, flag: 'wx' });
    // rename(2): a folder takes the place of none or of an empty one only.
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

async function letGo(folder: string, mine: string): Promise<void> {
  // False when someone removed the lock by hand: then there is nothing to let go of.
  await movedOn(folder, mine, freeName());
}

/** Whether it was us who changed the state. */
async function movedOn(folder: string, from: string, to: string): Promise<boolean> {
  try {
    await rename(join(folder, from), join(folder, to));
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Our states only: what somebody else puts there says nothing, and moving on from it would make a second lock. */
async function statesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((entry) => entry.startsWith('held~') || entry.startsWith('free~'));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Certain, and so for ever. Of a process in another container its socket tells, where it has one. */
async function isGone(holder: Held, folder: string): Promise<boolean> {
  return !mayBeRunning(holder) || (isElsewhere(holder) && (await hasEnded(dirname(folder), holder.token)));
}

/** Before the name that tells of it is there. Beside the lock's folder: a path of a socket has to be short. */
async function listenBeside(folder: string, mine: string): Promise<AliveSocket | null> {
  const held = parseHeld(mine);
  if (held === undefined) return null;
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  return await listenAlive(dirname(folder), held.token);
}

async function refuseIfHeld(state: string, { name, what }: Named, folder: string): Promise<void> {
  if (state.startsWith('free~')) return;
  const holder = parseHeld(state);
  if (holder !== undefined && (await isGone(holder, folder))) return;
  // A holder in words we do not know is left alone: a later version may have more to say.
  const since = holder === undefined ? 'an unknown time' : new Date(holder.since).toISOString();
  throw new Fault('locked', `${what} is in use by process ${holder?.pid ?? 'unknown'} since ${since}`, {
    operation: 'take lock',
    context: { lock: name, pid: holder?.pid ?? 'unknown', since, path: join(folder, state) },
  });
}

interface Held extends ProcessIdentity {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly token: string;
}

function heldName({ pid, start, boot, namespace }: ProcessIdentity, since: number, unique: string): string {
  return ['held', pid, start, boot, namespace, since, unique].join('~');
}

function freeName(): string {
  return `free~${token()}`;
}

function parseHeld(state: string): Held | undefined {
  const match = /^held~([1-9]\d{0,9})~(\d+)~([0-9a-f]+)~(\d+)~(\d{1,15})~([0-9a-f]+)$/.exec(state);
  if (match === null) return undefined;
  const [, pid, start = '0', boot = '0', namespace = '0', since, unique = ''] = match;
  return { pid: Number(pid), start, boot, namespace, since: Number(since), token: unique };
}

/** Names are never used twice, or a rename could move on from a state that only looks like the one judged. */
function token(): string {
  return randomBytes(12).toString('hex');
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
