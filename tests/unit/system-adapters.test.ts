import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { machineId } from '../../main/adapters/system/machine-id.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { openStateDir, stateDirPath } from '../../main/adapters/system/state-dir.ts';
import { startRacer } from '../support/racers.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-system-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const refused: unknown = expect.objectContaining({ code: 'config-invalid' });

describe('the state folder', () => {
  it('is the one asked for, else that of XDG, else the one in the home', () => {
    expect(stateDirPath({ HOLDFAST_STATE_DIR: '/a/b', XDG_STATE_HOME: '/x', HOME: '/h' })).toBe('/a/b');
    expect(stateDirPath({ HOLDFAST_STATE_DIR: '', XDG_STATE_HOME: '/x', HOME: '/h' })).toBe('/x/holdfast');
    expect(stateDirPath({ XDG_STATE_HOME: 'relative', HOME: '/h' })).toBe('/h/.local/state/holdfast');
    expect(stateDirPath({ HOME: '/h' })).toBe('/h/.local/state/holdfast');
  });

  it('is made for this user only, and found again', async () => {
    const path = join(folder, 'deep', 'state');
    expect(await openStateDir({ HOLDFAST_STATE_DIR: path })).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(await openStateDir({ HOLDFAST_STATE_DIR: path })).toBe(path);
  });

  it('is refused where there is something else', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(openStateDir({ HOLDFAST_STATE_DIR: join(folder, 'file') })).rejects.toThrow(refused);
    await expect(openStateDir({ HOLDFAST_STATE_DIR: join(folder, 'file', 'below') })).rejects.toThrow(refused);
  });
});

describe('the machine id', () => {
  it('is made once, kept, and readable by this user only', async () => {
    const id = await machineId(folder, systemRandom);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(await machineId(folder, systemRandom)).toBe(id);
    expect(readFileSync(join(folder, 'machine-id'), 'utf8')).toBe(`${id}\n`);
    expect(statSync(join(folder, 'machine-id')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['machine-id']);
  });

  it.each(['', '\n', 'x'.repeat(32), 'A'.repeat(32), 'a'.repeat(31), 'a'.repeat(33), `${'a'.repeat(32)}\n\n`, `${'a'.repeat(32)} b`])(
    'is never replaced when its file holds %j',
    async (content) => {
      writeFileSync(join(folder, 'machine-id'), content);
      await expect(machineId(folder, systemRandom)).rejects.toThrow(refused);
      expect(readFileSync(join(folder, 'machine-id'), 'utf8')).toBe(content);
    },
  );

  it('is one for all processes that ask at the same moment', async () => {
    const stateDirs = Array.from({ length: 200 }, (_none, index) => join(folder, `${index}`));
    for (const stateDir of stateDirs) mkdirSync(stateDir);
    const racers = await Promise.all(Array.from({ length: 4 }, startRacer));
    try {
      const at = Date.now() + 5;
      const answers = (await Promise.all(racers.map((racer) => racer.ask({ do: 'machine-id', stateDirs, at })))) as string[][];
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(new Set(answers[0]).size).toBe(stateDirs.length);
      expect(stateDirs.flatMap((stateDir) => readdirSync(stateDir))).toEqual(stateDirs.map(() => 'machine-id'));
    } finally {
      await Promise.all(racers.map((racer) => racer.kill()));
    }
  });
});

describe('the clock', () => {
  it('tells the time of the computer', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('wakes a sleeper who is cancelled, before or during the sleep', async () => {
    const cancelled: unknown = expect.objectContaining({ code: 'cancelled' });
    await expect(systemClock.sleep(1e9, AbortSignal.abort())).rejects.toThrow(cancelled);
    await expect(systemClock.sleep(0, AbortSignal.abort())).rejects.toThrow(cancelled);
    const controller = new AbortController();
    const asleep = systemClock.sleep(1e9, controller.signal);
    controller.abort();
    await expect(asleep).rejects.toThrow(cancelled);
  });

  it('does not take a sleep too long for a timer for no sleep at all', async () => {
    const controller = new AbortController();
    let awake = false;
    const asleep = systemClock.sleep(2 ** 40, controller.signal).then(() => (awake = true));
    await systemClock.sleep(20);
    expect(awake).toBe(false);
    controller.abort();
    await expect(asleep).rejects.toThrow(expect.objectContaining({ code: 'cancelled' }));
  });

  it('sleeps not at all for a time that is over', async () => {
    await systemClock.sleep(-5);
    await systemClock.sleep(Number.NaN);
  });
});

describe('random bytes', () => {
  it('are as many as asked for, never the same, in memory of their own', () => {
    const drawn = Array.from({ length: 100 }, () => systemRandom.bytes(16));
    expect(new Set(drawn.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(100);
    for (const bytes of drawn) expect([bytes.length, bytes.byteOffset, bytes.buffer.byteLength]).toEqual([16, 0, 16]);
    expect(systemRandom.bytes(0)).toHaveLength(0);
  });
});
