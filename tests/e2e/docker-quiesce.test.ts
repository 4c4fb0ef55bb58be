import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Docker, dockerMissing } from '../support/docker.ts';
import { ServiceHome } from '../support/service-process.ts';
import { why } from '../support/systemd.ts';

/** It says in its world whether it runs, and saves when it is told to stop. */
const game = 'echo running > /world/state; trap "echo saved > /world/state; exit 0" TERM; while :; do busybox sleep 0.1; done';

describe.skipIf(dockerMissing !== '')(`a server that is a container of a real Docker${why(dockerMissing)}`, () => {
  let docker: Docker;
  const home = new ServiceHome();
  const stateOfWorld = (folder = home.folder): string => readFileSync(join(folder, 'state'), 'utf8').trim();
  const runs = (): string => docker.run(['inspect', '--format', '{{.State.Running}}', 'game']);

  beforeAll(async () => {
    docker = await Docker.boot();
    docker.run([
      'run',
      '--detach',
      '--name',
      'game',
      '--network',
      'none',
      '--volume',
      `${home.folder}:/world`,
      'busybox',
      '/bin/sh',
      '-c',
      game,
    ]);
    writeFileSync(join(home.folder, 'region'), randomBytes(8 * 2 ** 20));
    await home.setUp(['--docker', 'game']);
  });
  afterAll(() => docker.end());

  test('what is stored is what it saved when it was stopped; afterwards it runs', async () => {
    expect(await home.json(['server', 'backup', 'survival'], docker.env)).toMatchObject({ state: 'done', warnings: [] });
    expect(runs()).toBe('true');
    const target = join(home.base, 'back');
    expect(await home.json(['server', 'restore', 'survival', '--target', target], docker.env)).toMatchObject({ state: 'done' });
    expect(stateOfWorld(target)).toBe('saved');
  });

  test('over its own folder, a restore stops it before the swap and starts it after', async () => {
    writeFileSync(join(home.folder, 'region'), 'spoilt');
    const args = ['server', 'restore', 'survival', '--target', home.folder, '--replace'];
    expect(await home.json(args, docker.env)).toMatchObject({ state: 'done' });
    // In the folder that is there now, not in the former one.
    expect(docker.run(['exec', 'game', 'busybox', 'stat', '-c', '%s', '/world/region'])).toBe(String(8 * 2 ** 20));
  });

  test('a service that is killed while it is stopped starts it when it runs again; one that is told to stop does so itself', async () => {
    await home.json(['bandwidth', '50K']);
    for (const [signal, after] of [
      ['SIGTERM', 'true'],
      ['SIGKILL', 'false'],
    ] as const) {
      const service = await home.start(docker.env);
      writeFileSync(join(home.folder, 'region'), randomBytes(8 * 2 ** 20));
      const stopped = docker.event('game', 'die');
      const backup = home.run(['server', 'backup', 'survival', '--force'], docker.env);
      await stopped;
      await service.stop(signal);
      expect((await backup).code).not.toBe(0);
      expect([signal, runs()]).toEqual([signal, after]);
      const started = after === 'true' ? Promise.resolve() : docker.event('game', 'start');
      const next = await home.start(docker.env);
      await started;
      expect(runs()).toBe('true');
      await next.stop();
    }
    await home.json(['bandwidth', 'off']);
  });

  test('one that was stopped on purpose stays so, and one that does not exist is told before anything is stopped', async () => {
    docker.run(['stop', 'game']);
    expect(await home.json(['server', 'backup', 'survival', '--force'], docker.env)).toMatchObject({ state: 'done', warnings: [] });
    expect([runs(), stateOfWorld()]).toEqual(['false', 'saved']);
    await home.json(['server', 'edit', 'survival', '--docker', 'gmae']);
    const run = await home.run(['server', 'backup', 'survival', '--force'], docker.env);
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('gmae')]);
  });
});
