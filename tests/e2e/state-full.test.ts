import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ServiceHome } from '../support/service-process.ts';

const mounts: string[] = [];

/** A disk of its own, in memory. Null: this user may not mount one. */
function mounted(path: string, options: string): boolean {
  mkdirSync(path, { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', path]).status !== 0) return false;
  mounts.push(path);
  return true;
}

/** To the last block. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

const home = new ServiceHome();
const canMount = mounted(home.state, 'size=400k,mode=700');
const filler = join(home.state, 'filler');
afterAll(() => {
  for (const path of mounts.toReversed()) spawnSync('umount', ['-l', path]);
});

describe.skipIf(!canMount)(`a state folder on a disk that is full${canMount ? '' : ' (skipped: this user may not mount a disk)'}`, () => {
  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp(['--daily', '04:00']);
    await home.json(['server', 'backup', 'survival']);
    // A service has been here: it has its token and its address.
    await (await home.start()).stop();
  });
  beforeEach(() => fill(filler));
  afterEach(() => rmSync(filler, { force: true }));

  test('a backup to a place with room ends well, and says that its history is not kept', async () => {
    const { code, stdout, stderr } = await home.run(['server', 'backup', 'survival', '--force']);
    expect([code, stdout, stderr]).toEqual([
      0,
      expect.stringContaining('was written'),
      expect.stringMatching(/not kept: .*state\.json could not be written: ENOSPC/),
    ]);
  });

  test('a pause that cannot be written is refused, with the path, and does not hold', async () => {
    const { code, stderr } = await home.run(['server', 'pause', 'survival', '--hours', '2']);
    expect([code === 0, stderr]).toEqual([
      false,
      expect.stringMatching(/state\.json could not be written: ENOSPC[\s\S]*its disk has room/),
    ]);
    rmSync(filler);
    expect(await home.json(['server', 'show', 'survival'])).toMatchObject({ pausedUntil: null });
  });

  test('the service starts, backs up, and says what is not on disk', async () => {
    const service = await home.start();
    expect(await home.json(['server', 'backup', 'survival', '--force'])).toMatchObject({ state: 'done' });
    const status = await home.run(['service', 'status']);
    expect(status.stderr).toMatch(/gone when it ends: .*state\.json could not be written: ENOSPC/);
    rmSync(filler);
    expect(await home.json(['server', 'pause', 'survival', '--hours', '2'])).toMatchObject({ state: 'paused' });
    expect(await home.json(['service', 'status'])).toMatchObject({ stateProblem: '' });
    await service.stop();
    const file = join(home.own(), 'state.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ servers: { survival: { pausedUntil: expect.any(Number) as number } } });
    await home.json(['server', 'resume', 'survival']);
  });

  test('a backup place that is new is not used while nobody could know it again: the path and the next step are said', async () => {
    rmSync(filler);
    await home.json(['destination', 'add', 'attic', `folder:${home.base}/attic`, '--no-test']);
    rmSync(join(home.state, 'memory'), { recursive: true });
    fill(filler);
    const { code, stderr } = await home.run(['backup', home.folder, '-d', 'attic', '--force']);
    expect([code === 0, stderr]).toEqual([
      false,
      expect.stringMatching(/memory\/folder-\w+ could not be written: ENOSPC[\s\S]*its disk has room/),
    ]);
  });
});

test.skipIf(!canMount)('settings on a disk that is read-only: what is changed is refused with the path and the next step', async () => {
  const other = new ServiceHome();
  mounted(other.config, 'mode=700');
  onTestFinished(() => void spawnSync('umount', ['-l', other.config]));
  await other.json(['bandwidth', '5M']);
  expect(spawnSync('mount', ['-o', 'remount,ro', other.config]).status).toBe(0);
  const { code, stderr } = await other.run(['bandwidth', '6M']);
  expect([code === 0, stderr]).toEqual([false, expect.stringMatching(/config\S*\.json could not be written: EROFS[\s\S]*can be written/)]);
});
