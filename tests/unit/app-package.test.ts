import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Arch } from 'electron-builder';
import { describe, expect, test } from 'vitest';
import { afterPack as checkProcessor } from '../../scripts/app/check-processor.mjs';
import { processorOf } from '../../scripts/app/processor.mjs';
import { targetsHere } from '../../scripts/app/targets-here.ts';
import { tempFolder } from '../support/temp-folder.ts';

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
  readonly files: readonly string[];
  readonly afterPack: string;
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
  for (const part of [
    'node_modules/@koromix/**',
    'dist/app/workers/**',
    'node_modules/zstd-napi/**',
    'node_modules/keytar/**',
    'node_modules/koffi/**',
  ]) {
    expect((await config()).asarUnpack).toContain(part);
  }
});

test('the packages of Linux get what fpm asks for beyond the schema: a home page, and who maintains it', async () => {
  const { linux } = await config();
  expect(URL.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).homepage)?.protocol).toBe('https:');
  expect(linux.maintainer).not.toBe('');
});

test('what the program reads beside itself goes with it: the opener for the kit, and the guides that the page shows', async () => {
  const { files } = await config();
  expect(files).toEqual(expect.arrayContaining(['docs/recovery/*.py', 'docs/setup/*.md']));
});

test('the app begins where the build puts it, and its icon is there', async () => {
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).main).toBe('dist/app/main.js');
  expect(existsSync(join(root, (await config()).icon))).toBe(true);
});

describe('native modules are for one processor', () => {
  const native = join(root, 'node_modules', 'zstd-napi', 'build', 'Release', 'binding.node');
  const here = process.arch;
  const there = here === 'x64' ? 'arm64' : 'x64';

  /** An app as electron-builder lays it out, with a real module of this computer, and what `add` puts beside it. */
  function laidOut(add: (folder: string) => void): string {
    const folder = join(tempFolder(), 'resources', 'app.asar.unpacked');
    mkdirSync(folder, { recursive: true });
    copyFileSync(native, join(folder, 'binding.node'));
    add(folder);
    return join(folder, '..', '..');
  }

  test('what is packed here is named for this system and this processor, and nothing for another', async () => {
    expect(await targetsHere(root, 'linux', 'x64')).toEqual(['--linux', 'deb', 'rpm', 'AppImage', '--x64']);
    expect(await targetsHere(root, 'linux', 'arm64')).toEqual(['--linux', 'deb', 'rpm', 'AppImage', '--arm64']);
    expect(await targetsHere(root, 'darwin', 'arm64')).toEqual(['--mac', 'dmg', '--arm64']);
    expect(await targetsHere(root, 'win32', 'x64')).toEqual(['--win', 'nsis', '--x64']);
    await expect(targetsHere(root, 'linux', 'riscv64')).rejects.toThrow('no package is made for linux on riscv64');
    await expect(targetsHere(root, 'freebsd', 'x64')).rejects.toThrow('no package is made for freebsd');
  });

  test('each that lies in node_modules is for this processor', () => {
    const modules = readdirSync(join(root, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /^(zstd-napi|keytar|@koromix)\/.*\.node$/.test(path),
    );
    expect(modules.length).toBeGreaterThanOrEqual(3);
    expect(modules.map((path) => processorOf(join(root, 'node_modules', path)))).toEqual(modules.map(() => here));
  });

  test('a package for this processor passes, and one for the other is refused by the name of the module', async () => {
    const folder = laidOut(() => undefined);
    checkProcessor({ appOutDir: folder, arch: Arch[here as 'x64' | 'arm64'] });
    expect(() => checkProcessor({ appOutDir: folder, arch: Arch[there] })).toThrow(
      `This package is for ${there}, and these are not: resources/app.asar.unpacked/binding.node.`,
    );
    expect(() => checkProcessor({ appOutDir: tempFolder(), arch: Arch.x64 })).toThrow('has no native modules');
    const file = (await config()).afterPack;
    expect(existsSync(join(root, file))).toBe(true);
  });

  // As the formats have them: ELF e_machine, Mach-O cputype, PE Machine.
  const made = (size: number, ...parts: readonly (readonly [number, string])[]): Buffer => {
    const bytes = Buffer.alloc(size);
    for (const [at, hex] of parts) bytes.write(hex, at, 'hex');
    return bytes;
  };
  test.each([
    ['ELF, x86-64', made(64, [0, '7f454c46020101'], [18, '3e00']), 'x64'],
    ['ELF, AArch64', made(64, [0, '7f454c46020101'], [18, 'b700']), 'arm64'],
    ['ELF, RISC-V', made(64, [0, '7f454c46020101'], [18, 'f300']), null],
    ['Mach-O, x86-64', made(32, [0, 'cffaedfe07000001']), 'x64'],
    ['Mach-O, arm64', made(32, [0, 'cffaedfe0c000001']), 'arm64'],
    ['Mach-O, universal', made(32, [0, 'cafebabe00000002']), 'both'],
    ['PE, x64', made(300, [0, '4d5a'], [0x3c, '80000000'], [0x80, '504500006486']), 'x64'],
    ['PE, ARM64', made(300, [0, '4d5a'], [0x3c, '80000000'], [0x80, '5045000064aa']), 'arm64'],
    ['PE whose header lies further down than a module’s does', made(300, [0, '4d5a'], [0x3c, 'ffffff00']), null],
    ['a text', Buffer.from('module.exports = 1;'), null],
    ['nothing', Buffer.alloc(0), null],
  ])('%s', (name, bytes, processor) => {
    const path = join(tempFolder(), 'module.node');
    writeFileSync(path, bytes);
    expect([name, processorOf(path)]).toEqual([name, processor]);
  });
});
