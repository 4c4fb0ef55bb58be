import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { modules, pinnedNode } from '../../scripts/setup/places.mjs';
import { tempFolder } from '../support/temp-folder.ts';

const root = join(import.meta.dirname, '..', '..');
const path = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

const runs = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore', env: { PATH: path } }).status === 0;

/** Why nothing can be compiled here with the network shut off; empty where it can. */
const lacking = ((): string => {
  if (!existsSync(pinnedNode)) return 'set-up was not done';
  const missing = ['npm', 'make', 'c++', 'python3'].filter((program) => !runs(program, '--version'));
  if (missing.length > 0) return `no ${missing.join(', no ')}`;
  return runs('unshare', '--net', 'true') ? '' : 'no network namespace of its own';
})();

/** A checkout with the real set-up and the dependencies of this one, but for the module that is to be built. */
function unbuilt(): string {
  const folder = tempFolder();
  for (const name of ['node_modules', '.cache', 'home']) mkdirSync(join(folder, name));
  cpSync(join(root, 'scripts', 'setup'), join(folder, 'scripts', 'setup'), { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(root, name), join(folder, name));
  for (const name of ['node', 'node-addon-api', 'prebuild-install', '.bin'])
    symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  cpSync(join(modules, 'zstd-napi'), join(folder, 'node_modules', 'zstd-napi'), { recursive: true });
  rmSync(join(folder, 'node_modules', 'zstd-napi', 'build'), { recursive: true, force: true });
  return folder;
}

test.skipIf(lacking !== '')(
  `the zstd module is compiled without a network, an npm configuration or a home folder, with the pinned Node's own headers${lacking === '' ? '' : ` (${lacking})`}`,
  () => {
    const folder = unbuilt();
    const [user, global, home] = [join(folder, 'npmrc'), join(folder, 'global-npmrc'), join(folder, 'home')];
    writeFileSync(user, '');
    // What a machine has set for all its users must not win.
    writeFileSync(global, 'nodedir=/nowhere\n');
    const steps = pathToFileURL(join(folder, 'scripts', 'setup', 'steps.mjs')).href;
    const script = `const { buildZstd, zstdLoads } = await import(${JSON.stringify(steps)});
      if (zstdLoads()) throw new Error('it was there already');
      buildZstd();`;
    const { status, stderr } = spawnSync('unshare', ['--net', pinnedNode, '--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { PATH: path, HOME: home, npm_config_userconfig: user, npm_config_globalconfig: global },
    });
    const log = readFileSync(join(folder, '.cache', 'setup.log'), 'utf8');
    expect(status, `${stderr}\n${log.slice(-4000)}`).toBe(0);
    // buildZstd ends well only where the module makes a round trip; and this one was made here.
    const build = join(folder, 'node_modules', 'zstd-napi', 'build');
    expect(
      readFileSync(join(build, 'Release', 'binding.node'))
        .subarray(0, 4)
        .toString('latin1'),
    ).toBe('\x7fELF');
    expect(readFileSync(join(build, 'config.gypi'), 'utf8')).toContain(
      `"nodedir": "${join(folder, 'node_modules/node/node_modules')}/node-`,
    );
    // Headers that were fetched would lie in the home folder.
    expect(readdirSync(home, { recursive: true }).filter((name) => String(name).includes('node-gyp'))).toEqual([]);
  },
);
