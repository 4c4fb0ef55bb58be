import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { channels } from '../../main/contract/bridge.ts';
import type { ServiceEvent } from '../../main/contract/events.ts';
import { packagesOf, workers } from '../../scripts/build-app.ts';
import { startApp } from '../support/app-process.ts';
import { builtApp } from '../support/built-app.ts';
import { ServiceHome } from '../support/service-process.ts';

const root = join(import.meta.dirname, '..', '..');
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the app as it is built', () => {
  const folder = builtApp();

  test('asks only for packages that are packed with it', () => {
    const packed = new Set(['electron', ...Object.keys(packageJson.dependencies), ...Object.keys(packageJson.optionalDependencies)]);
    expect(packagesOf(folder).filter((name) => !packed.has(name))).toEqual([]);
    expect(packagesOf(folder)).toContain('zstd-napi');
  });

  test('has a file for every worker, and a preload that asks for nothing but Electron', () => {
    expect(workers.map((file) => basename(file))).toEqual(['thread-worker.ts', 'judge-worker.ts']);
    const main = ['main.js'].map((name) => readFileSync(join(folder, name), 'utf8')).join('');
    expect(main).not.toContain('-worker.ts');
    const preload = readFileSync(join(folder, 'preload.cjs'), 'utf8');
    expect([...preload.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(['electron']);
  });

  test('backs a folder up, shows it, and ends, with stand-ins in the place of Electron', async () => {
    const home = new ServiceHome();
    await home.setUp();
    writeFileSync(join(home.folder, 'level.dat'), 'world');
    mkdirSync(join(home.folder, 'region'));
    const app = startApp(home, join(folder, 'main.js'));
    const ended = Promise.withResolvers<unknown>();
    app.hear((channel, event) => {
      const told = event as ServiceEvent;
      if (channel === channels.event && told.event === 'job' && told.data.endedAt !== null) ended.resolve(told.data.state);
    });
    const call = (...args: readonly unknown[]): Promise<unknown> => app.invoke(channels.call, ...args);
    expect(await call('servers.list', {})).toMatchObject({ ok: true, value: [{ settings: { slug: 'survival' }, state: 'new' }] });
    expect(await call('backup.start', { slug: 'survival' })).toMatchObject({ ok: true });
    expect(await ended.promise).toBe('done');
    const { body } = await app.page('app://holdfast/index.html');
    if (existsSync(join(root, 'dist', 'page', 'index.html'))) expect(Buffer.from(body).toString()).toContain('<title>Holdfast</title>');
    const { toolTip, errors } = await app.seen();
    expect(errors).toEqual([]);
    expect(toolTip).toMatch(/^Holdfast: (your server is safe|at work on Survival)$/);
    expect(await app.quit()).toEqual({ code: 0, printed: '' });
    expect(await home.json(['snapshots', '-d', `folder:${home.place}`])).toMatchObject([{ server: 'Survival', complete: true }]);
  });
});
