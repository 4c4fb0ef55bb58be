import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { channels } from '../../main/contract/bridge.ts';
import type { ServiceEvent } from '../../main/contract/events.ts';
import { startApp } from '../support/app-process.ts';
import { ServiceHome } from '../support/service-process.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { uncovered } from '../support/uncovered.ts';

const root = join(import.meta.dirname, '..', '..');
/** Types only: nothing of it is left when it runs. */
const typesOnly = 'main/electron/ports.ts';

test('the tests of the app run every block of main/electron and preload, as V8 counts', async () => {
  const folder = tempFolder();
  const env = { NODE_V8_COVERAGE: folder };
  const config = join(root, 'vitest.coverage.config.ts');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const unitTests = promisify(execFile)(process.execPath, [vitest, 'run', '--config', config], {
    cwd: root,
    env: { ...process.env, ...env, VITEST: '', NO_COLOR: '1' },
  });
  await Promise.all([unitTests, useMain(env)]);
  const files = ['main/electron', 'preload'].flatMap((room) => readdirSync(join(root, room)).map((name) => `${room}/${name}`));
  expect(files.filter((file) => file !== typesOnly).flatMap((file) => uncovered(folder, root, file))).toEqual([]);
});

/** The one file that hands Electron in, with stand-ins in its place: all that it hands in is used. */
async function useMain(env: Readonly<Record<string, string>>): Promise<void> {
  const main = join(root, 'main', 'electron', 'main.ts');
  const home = new ServiceHome();
  await home.setUp(['--daily', '04:00']);
  const file = join(home.config, 'config.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), pauseOn: { battery: true } }));
  const app = startApp(home, main, env);
  expect(await app.invoke(channels.call, 'servers.list', {})).toMatchObject({ ok: true });
  // A backup that fails, as its place is away, is told beside the tray.
  renameSync(home.place, `${home.place}-away`);
  const noticed = Promise.withResolvers<unknown>();
  app.hear((_, event) => {
    if ((event as ServiceEvent).event === 'notice') noticed.resolve(event);
  });
  await app.choose('Back up now', 'Survival');
  await noticed.promise;
  expect((await app.seen()).notifications).toHaveLength(1);
  expect(await app.quit()).toEqual({ code: 0, printed: '' });

  const blank = await startApp(home, main, { ...env, HOLDFAST_STUB_FAILS: 'load' }).quit();
  expect(blank).toEqual({ code: 0, printed: 'holdfast: the page was not loaded: Error: no page\n' });
  expect(await startApp(home, main, { ...env, HOLDFAST_STUB_FAILS: 'ready' }).ended()).toEqual({ code: 1, printed: '' });
}
