import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const require = createRequire(import.meta.url);
/** electron-builder's own way of reading a configuration and of holding it to its schema (app-builder-lib/scheme.json). */
const { validateConfiguration } = require('app-builder-lib/out/util/config/config.js');
const { loadConfig } = require('app-builder-lib/out/util/config/load.js');

interface Packed {
  readonly target: readonly { readonly target: string; readonly arch: readonly string[] }[];
}

interface Configuration {
  readonly linux: Packed & { readonly maintainer: string };
  readonly mac: Packed;
  readonly win: Packed;
  readonly icon: string;
  readonly asarUnpack: readonly string[];
  readonly electronFuses: Readonly<Record<string, boolean>>;
}

async function config(): Promise<Configuration> {
  const { result } = await loadConfig({ packageKey: 'build', configFilename: 'electron-builder', projectDir: root, packageMetadata: null });
  return result;
}
const check = (value: unknown): Promise<void> => validateConfiguration(value, { isEnabled: false });

test('electron-builder’s own schema takes the configuration, and refuses what is not in it', async () => {
  await check(await config());
  const wrong = { ...(await config()), electronFuses: { runAsNod: false } };
  await expect(check(wrong)).rejects.toThrow('electronFuses');
});

test('every package is made for both processors', async () => {
  const { linux, mac, win } = await config();
  const made = [linux, mac, win].flatMap(({ target }) => target);
  expect(made.map(({ target }) => target)).toEqual(['deb', 'rpm', 'AppImage', 'dmg', 'nsis']);
  expect(made.every(({ arch }) => arch.join() === 'x64,arm64')).toBe(true);
});

test.each([
  ['runAsNode', false],
  ['enableNodeOptionsEnvironmentVariable', false],
  ['enableNodeCliInspectArguments', false],
  ['enableCookieEncryption', true],
  ['enableEmbeddedAsarIntegrityValidation', true],
  ['onlyLoadAppFromAsar', true],
  ['grantFileProtocolExtraPrivileges', false],
])('the fuse %s is %s', async (fuse, value) => {
  expect((await config()).electronFuses[fuse]).toBe(value);
});

test('worker threads and native modules lie outside the archive', async () => {
  for (const part of ['dist/app/workers/**', 'node_modules/zstd-napi/**', 'node_modules/keytar/**', 'node_modules/koffi/**']) {
    expect((await config()).asarUnpack).toContain(part);
  }
});

test('the packages of Linux get what fpm asks for beyond the schema: a home page, and who maintains it', async () => {
  const { linux } = await config();
  expect(URL.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).homepage)?.protocol).toBe('https:');
  expect(linux.maintainer).not.toBe('');
});

test('the app begins where the build puts it, and its icon is there', async () => {
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).main).toBe('dist/app/main.js');
  expect(existsSync(join(root, (await config()).icon))).toBe(true);
});
