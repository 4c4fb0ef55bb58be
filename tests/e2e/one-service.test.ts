import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRconServer, type RconServer } from '../support/rcon-server.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

describe('one service for a configuration folder', () => {
  const home = new ServiceHome();
  const link = join(home.base, 'link');
  let service: RunningService;
  beforeAll(async () => {
    await home.setUp();
    symlinkSync(home.config, link);
    service = await home.start();
  });
  const named = (): string => `process ${String(service.child.pid)}`;

  test('whoever comes to it by a link finds the one that runs', async () => {
    const byLink = { HOLDFAST_CONFIG_DIR: link };
    const second = await home.run(['service'], byLink);
    expect([second.code, second.stderr]).toEqual([11, expect.stringContaining(named())]);
    expect(await home.json(['service', 'status'], byLink)).toMatchObject({ running: true, pid: service.child.pid });
  });

  test('with another state folder none starts, and commands say which process it is and what to set', { timeout: 60_000 }, async () => {
    const other = { HOLDFAST_STATE_DIR: join(home.base, 'other') };
    for (const args of [['service'], ['service', 'status'], ['open-page', '--no-browser'], ['server', 'list']]) {
      const { code, stderr } = await home.run(args, other);
      expect([args, code, stderr.includes(named()), stderr.includes('HOLDFAST_STATE_DIR')]).toEqual([args, 11, true, true]);
    }
    await service.stop();
    expect(await home.json(['server', 'list'], other)).toHaveLength(1);
  });
});

describe('a game that two configurations have as theirs', () => {
  const homes = [new ServiceHome(), new ServiceHome()] as const;
  const [one, two] = homes;
  const shared = { HOLDFAST_RCON_PASSWORD: 'correct horse', HOLDFAST_STATE_DIR: one.state };
  let game: RconServer;
  beforeAll(async () => {
    writeFileSync(join(one.folder, 'level.dat'), 'blocks');
    game = await startRconServer('correct horse');
    for (const home of homes) {
      await home.json(['keychain', 'use', 'machine-key', '--yes'], shared);
      await home.json(['destination', 'add', 'nas', `folder:${home.place}`, '--no-test'], shared);
      const console = ['--minecraft', `127.0.0.1:${game.port}`];
      await home.json(
        ['server', 'add', 'Survival', one.folder, '--to', 'nas', '--verify', 'never', '--drill', 'never', ...console],
        shared,
      );
    }
  });
  afterAll(() => game.close());

  test('a run that is refused says nothing to it while the other has it at rest', async () => {
    const resting = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    game.mishap = (command) => {
      if (command !== 'save-all flush') return undefined;
      resting.resolve();
      return goOn.promise;
    };
    const first = one.run(['server', 'backup', 'survival'], shared);
    await resting.promise;
    const refused = await two.run(['server', 'backup', 'survival'], shared);
    expect([refused.code, refused.stderr]).toEqual([11, expect.stringContaining('is at rest for another run, in process')]);
    expect([game.done, game.saving]).toEqual([['save-off', 'save-all flush'], false]);
    goOn.resolve();
    const { code, stderr } = await first;
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    expect([game.done, game.saving]).toEqual([['save-off', 'save-all flush', 'save-on'], true]);
    expect((await two.run(['server', 'backup', 'survival'], shared)).code).toBe(0);
  });
});
