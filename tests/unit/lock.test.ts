import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from '../../main/adapters/system/lock.ts';
import { thisProcess } from '../../main/adapters/system/process-identity.ts';
import { startRacer } from '../support/racers.ts';
import type { Racer } from '../support/racers.ts';

let stateDir = '';
let racers: Racer[] = [];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'holdfast-lock-'));
  racers = [];
});
afterEach(async () => {
  await Promise.all(racers.map((racer) => racer.kill()));
  rmSync(stateDir, { recursive: true, force: true });
});

async function start(count: number): Promise<readonly Racer[]> {
  const started = await Promise.all(Array.from({ length: count }, startRacer));
  racers.push(...started);
  return started;
}

async function startOne(): Promise<Racer> {
  const [racer] = await start(1);
  if (racer === undefined) throw new Error('no racer');
  return racer;
}

const locked = (pid: number): unknown => expect.objectContaining({ code: 'locked', context: expect.objectContaining({ pid }) as unknown });
const take = (racer: Racer, ...names: string[]): Promise<unknown> => racer.ask({ do: 'take', stateDir, names, at: 0 });
const lockFolder = (name: string): string => join(stateDir, 'locks', `${name}.lock`);

/** The lock as it would stand had another process written it. */
function rewriteHolder(name: string, change: (fields: string[]) => void): void {
  const [state] = readdirSync(lockFolder(name));
  const fields = (state ?? '').split('~');
  change(fields);
  renameSync(join(lockFolder(name), state ?? ''), join(lockFolder(name), fields.join('~')));
}

describe('a lock', () => {
  it('has one holder, who is named, until it is released', async () => {
    const before = Date.now();
    const lock = await acquireLock(stateDir, 'survival');
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(locked(process.pid));
    const fault: unknown = await acquireLock(stateDir, 'survival').catch((error: unknown) => error);
    const since = Date.parse((fault as { context: { since: string } }).context.since);
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(Date.now());
    const other = await acquireLock(stateDir, 'creative');
    await lock.release();
    await lock.release();
    const again = await acquireLock(stateDir, 'survival');
    await lock.release();
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(locked(process.pid));
    await again.release();
    await other.release();
  });

  it('can be taken only by this user and leaves nothing behind but its own folder', async () => {
    const lock = await acquireLock(stateDir, 'survival');
    expect(statSync(join(stateDir, 'locks')).mode & 0o777).toBe(0o700);
    await lock.release();
    expect(readdirSync(join(stateDir, 'locks'))).toEqual(['survival.lock']);
    expect(readdirSync(lockFolder('survival'))).toHaveLength(1);
  });

  it('is held by another process, also when that one is stopped, and is free once it was killed', async () => {
    const racer = await startOne();
    expect(await take(racer, 'survival')).toEqual(['survival']);
    const pid = racer.process.pid ?? 0;
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(locked(pid));
    racer.process.kill('SIGSTOP');
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(locked(pid));
    await racer.kill();
    await (await acquireLock(stateDir, 'survival')).release();
  });

  it('of a dead process whose pid another one has now is free', async () => {
    await acquireLock(stateDir, 'survival');
    rewriteHolder('survival', (fields) => (fields[2] = String(Number(fields[2]) - 1)));
    await (await acquireLock(stateDir, 'survival')).release();
  });

  it('from before a restart of the computer is free', async () => {
    await acquireLock(stateDir, 'survival');
    rewriteHolder('survival', (fields) => (fields[3] = 'f'.repeat(32)));
    await (await acquireLock(stateDir, 'survival')).release();
  });

  it('of another container is held while its process runs or is stopped, and free once that was killed', async () => {
    const racer = await startOne();
    await take(racer, 'survival');
    // The pid is one that nobody has here: only its socket tells.
    rewriteHolder('survival', (fields) => ((fields[4] = '1'), (fields[1] = '4194303')));
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(locked(4194303));
    racer.process.kill('SIGSTOP');
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(locked(4194303));
    await racer.kill();
    await (await acquireLock(stateDir, 'survival')).release();
    expect(readdirSync(join(stateDir, 'locks'))).toEqual(['survival.lock']);
  });

  it('of another container is left alone where nothing tells of it, and so is one in words of a later version', async () => {
    const base = stateDir;
    // Too long for a socket.
    stateDir = join(base, 'x'.repeat(100));
    await acquireLock(stateDir, 'survival');
    rewriteHolder('survival', (fields) => ((fields[4] = '1'), (fields[2] = '1')));
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(locked(process.pid));
    rewriteHolder('survival', (fields) => fields.push('more'));
    await expect(acquireLock(stateDir, 'survival')).rejects.toThrow(expect.objectContaining({ code: 'locked' }));
    stateDir = base;
  });

  it('is healed when its folder was emptied, and refused when it holds only what is not ours', async () => {
    mkdirSync(lockFolder('emptied'), { recursive: true });
    await (await acquireLock(stateDir, 'emptied')).release();
    mkdirSync(lockFolder('foreign'));
    writeFileSync(join(lockFolder('foreign'), 'note.txt'), '');
    await expect(acquireLock(stateDir, 'foreign')).rejects.toThrow(expect.objectContaining({ code: 'config-invalid' }));
    expect(readdirSync(lockFolder('foreign'))).toEqual(['note.txt']);
  });

  it('cannot have a name that leads elsewhere', async () => {
    for (const name of ['', '..', '.x', 'a/b', 'a\0b', 'ü', 'x'.repeat(201)]) {
      await expect(acquireLock(stateDir, name)).rejects.toThrow(expect.objectContaining({ code: 'config-invalid' }));
    }
  });

  it('knows its process by more than a pid', () => {
    const identity = thisProcess();
    expect(identity.boot).toMatch(/^[0-9a-f]{32}$/);
    expect(Number(identity.start)).toBeGreaterThan(0);
    expect(Number(identity.namespace)).toBeGreaterThan(0);
  });
});

describe('many processes at once', () => {
  const rounds = 1_000;
  const names = Array.from({ length: rounds }, (_none, index) => `round-${index}`);

  async function race(contenders: readonly Racer[]): Promise<void> {
    const winners = new Map<string, number>(names.map((name) => [name, 0]));
    // Ten names at a time, from one common moment on: so they meet at nearly every name.
    for (let first = 0; first < rounds; first += 10) {
      const some = names.slice(first, first + 10);
      const at = Date.now() + 2;
      const won = await Promise.all(contenders.map((racer) => racer.ask({ do: 'take', stateDir, names: some, at })));
      for (const name of (won as string[][]).flat()) winners.set(name, (winners.get(name) ?? 0) + 1);
    }
    expect([...winners.values()]).toEqual(names.map(() => 1));
  }

  it('exactly one gets a lock that was never there', async () => {
    await race(await start(6));
  });

  it('exactly one takes over from a dead process', async () => {
    const [dead, ...contenders] = await start(7);
    expect(await dead?.ask({ do: 'take', stateDir, names, at: 0 })).toEqual(names);
    await dead?.kill();
    await race(contenders);
  });

  it('never are two inside, with releases and deaths in between', async () => {
    const running = await start(6);
    const ends = await Promise.allSettled(
      running.map((racer, index) => racer.ask({ do: 'loop', stateDir, name: 'one', times: 100, dieHolding: index % 2 === 0 })),
    );
    expect(ends.map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason)))).toEqual(
      running.map((_racer, index) => (index % 2 === 0 ? 'Error: ended: SIGKILL' : 100)),
    );
    await (await acquireLock(stateDir, 'one')).release();
  });
});
