import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { appFolder, buildApp, packagesOf, workers } from '../../scripts/build-app.ts';
import { ServiceHome } from '../support/service-process.ts';

const root = join(import.meta.dirname, '..', '..');
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the app as it is built', () => {
  beforeAll(buildApp);

  test('asks only for packages that are packed with it', () => {
    const packed = new Set(['electron', ...Object.keys(packageJson.dependencies), ...Object.keys(packageJson.optionalDependencies)]);
    expect(packagesOf(appFolder).filter((name) => !packed.has(name))).toEqual([]);
    expect(packagesOf(appFolder)).toContain('zstd-napi');
  });

  test('has a file for every worker, and a preload that asks for nothing but Electron', () => {
    expect(workers.length).toBeGreaterThan(8);
    const main = ['main.js'].map((name) => readFileSync(join(appFolder, name), 'utf8')).join('');
    expect(main).not.toContain('-worker.ts');
    const preload = readFileSync(join(appFolder, 'preload.cjs'), 'utf8');
    expect([...preload.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(['electron']);
  });

  test('backs a folder up, shows it, and ends, with stand-ins in the place of Electron', async () => {
    const home = new ServiceHome();
    await home.setUp();
    writeFileSync(join(home.folder, 'level.dat'), 'world');
    mkdirSync(join(home.folder, 'region'));
    const hooks = join(root, 'tests', 'support', 'electron-hooks.mjs');
    const child = spawn(process.execPath, ['--import', hooks, join(appFolder, 'main.js')], { env: { ...process.env, ...home.env } });
    const [out, err] = [text(child.stdout), text(child.stderr)];
    const [code] = await once(child, 'exit');
    expect([code, await err]).toEqual([0, '']);
    const told = JSON.parse(await out);
    expect(told.before).toMatchObject({ ok: true, value: [{ settings: { slug: 'survival' }, state: 'new' }] });
    expect(told.started).toMatchObject({ ok: true });
    expect(told.errors).toEqual([]);
    expect(told.toolTip).toMatch(/^Holdfast: (your server is safe|at work on Survival)$/);
    if (existsSync(join(root, 'dist', 'page', 'index.html'))) expect(told.page).toContain('<title>Holdfast</title>');
    expect(await home.json(['snapshots', '-d', `folder:${home.place}`])).toMatchObject([{ server: 'Survival', complete: true }]);
  });
});
