import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { electronProgram, whyNoApp } from '../../scripts/start.ts';
import { ServiceHome } from '../support/service-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('whether the app can be shown', () => {
  test.each([
    [{}, 'linux', '/electron', 'no display'],
    [{ DISPLAY: '' }, 'linux', '/electron', 'no display'],
    [{ DISPLAY: ':0' }, 'linux', null, 'Electron’s program is not here'],
    [{}, 'darwin', null, 'Electron’s program is not here'],
  ] as const)('%j on %s with %s: %s', (env, platform, program, says) => {
    const why = whyNoApp(env, platform, program);
    expect(why).toContain(says);
    expect(why.trim().split('\n')).toHaveLength(1);
  });

  test.each([
    [{ DISPLAY: ':0' }, 'linux'],
    [{ WAYLAND_DISPLAY: 'wayland-0' }, 'linux'],
    [{}, 'win32'],
  ] as const)('%j on %s: it can', (env, platform) => {
    expect(whyNoApp(env, platform, '/electron')).toBe('');
  });

  test('Electron’s program is looked for where its package puts it, and never fetched', () => {
    const folder = tempFolder();
    expect(electronProgram({}, folder)).toBe(null);
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'dist', 'electron'), '');
    expect(electronProgram({}, folder)).toBe(join(folder, 'dist', 'electron'));
    writeFileSync(join(folder, 'path.txt'), 'Electron.app/Contents/MacOS/Electron');
    expect(electronProgram({}, folder)).toBe(null);
    expect(electronProgram({ ELECTRON_OVERRIDE_DIST_PATH: folder }, join(folder, 'none'))).toBe(null);
  });
});

test('without a display it says so in one line, serves the page, and prints the link to it', async () => {
  const home = new ServiceHome();
  const env = { ...process.env, ...home.env, DISPLAY: '', WAYLAND_DISPLAY: '' };
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'start.ts');
  const child = spawn(process.execPath, [script], { env });
  onTestFinished(() => void child.kill('SIGTERM'));
  let out = '';
  const link = await new Promise<string>((settle, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${String(code)}:\n${out}`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const found = /http:\/\/127\.0\.0\.1:\d+\/sign-in\?code=\S+/.exec(out);
      if (found !== null) settle(found[0]);
    });
  });
  expect(out.split('\n')[0]).toBe('There is no display here, so the page is served to a browser instead of a window.');
  const { origin, searchParams } = new URL(link);
  const asked = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: searchParams.get('code') }),
  };
  expect((await fetch(`${origin}/api/sign-in`, asked)).status).toBe(200);
  child.removeAllListeners('exit');
  const gone = new Promise((settle) => child.once('exit', settle));
  child.kill('SIGTERM');
  expect(await gone).toBe(0);
});
