import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lettingThrough } from './let-through.ts';
import { password } from './run-holdfast.ts';
import type { Workshop } from './run-holdfast.ts';

export const opener = fileURLToPath(new URL('../../docs/recovery/open.py', import.meta.url));
/** The system's own: the one with python3-cryptography. */
export const systemPython = '/usr/bin/python3';

function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

export const hasOpener = runs(systemPython, '-c', 'import cryptography') && runs('zstd', '--version');
export const hasTracer = hasOpener && runs('strace', '-qq', '-o', '/dev/null', 'true') && runs('7z', 'i') && runs('unzip', '-v');

/** Puts objects into a folder, as a folder destination holds them; the folder. */
export function writeObjects(folder: string, objects: ReadonlyMap<string, Uint8Array>): string {
  for (const [key, bytes] of objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
  return folder;
}

let opened = 0;

/** Opens a stored object with the Python opener; the path of what came out. */
export function archiveOpened(shop: Workshop, key: string): string {
  return openedIn(process.env, shop, key);
}

/** The same, not decompressed: the path of the zstd stream that lies under the seal. */
export function archiveUnsealed(shop: Workshop, key: string): string {
  return openedIn(lettingThrough(), shop, key);
}

function openedIn(env: NodeJS.ProcessEnv, shop: Workshop, key: string): string {
  const passwordFile = shop.path('password');
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, password);
  opened += 1;
  const out = shop.path(`opened-${opened}`);
  execFileSync(systemPython, [opener, `${shop.place}/${key}`, '-o', out, '--password-file', passwordFile], { env, stdio: 'pipe' });
  return out;
}

const testzip = 'import sys,zipfile\nbad = zipfile.ZipFile(sys.argv[1]).testzip()\nsys.exit(repr(bad) if bad is not None else 0)';

/** Other programs' judgement of a ZIP: empty when they find nothing wrong with it. */
export const zipReaders: Readonly<Record<string, (zip: string) => string>> = {
  unzip: (zip) => complaint('unzip', ['-tqq', zip]),
  '7z': (zip) => complaint('7z', ['t', zip]),
  python: (zip) => complaint(systemPython, ['-c', testzip, zip]),
};

function complaint(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'latin1', maxBuffer: 2 ** 30 });
  if (status === 0 && !/warning/i.test(stdout + stderr)) return '';
  return `${program} ends with ${status}: ${(stdout + stderr).slice(-2000)}`;
}

export function python3(script: string, ...args: string[]): string {
  return execFileSync(systemPython, ['-c', script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 30 });
}
