import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { composeServiceHost, type ServiceHostParts } from '../../main/compose/service/compose-service-host.ts';
import { serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** What keeps this process alive of the programs that it runs. */
const held = (): number => process.getActiveResourcesInfo().filter((name) => /Process|Pipe/.test(name)).length;

test('a hook that runs as somebody else and takes too long is left to itself: the backup ends well and says so', async () => {
  const folder = tempFolder();
  await writeFile(join(folder, 'world.dat'), 'blocks');
  const pidFile = join(tempFolder(), 'pid');
  const real = composeServiceHost({} as ServiceHostParts);
  const command = { argv: ['/bin/sh', '-c', `echo $$ > ${pidFile}; exec sleep 600`], timeoutSeconds: 1 };
  const world = serviceWorld({
    folder,
    servers: [{ hooks: { before: [], afterSuccess: [command], afterFailure: [], always: [] } }],
    host: { runHook: (...about) => real.runHook(...about) },
  });
  // As the system answers who may not signal a process of another user.
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  onTestFinished(async () => {
    kill.mockRestore();
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
  });
  const before = held();
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  expect(await ended).toMatchObject({
    state: 'done',
    warnings: [
      { code: 'hook', message: expect.stringMatching(/may not be stopped by this user\. It still runs: end it yourself/) as string },
    ],
  });
  expect(kill.mock.calls).toEqual([[-Number(await readFile(pidFile, 'utf8')), 'SIGTERM']]);
  // Destroyed pipes are closed in the next turn.
  await new Promise((go) => setImmediate(go));
  expect(held()).toBe(before);
});
