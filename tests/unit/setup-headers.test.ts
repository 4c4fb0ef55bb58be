import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type * as places from '../../scripts/setup/places.mjs';
import { pinnedNode } from '../../scripts/setup/places.mjs';
import { isReady } from '../../scripts/setup/stamp.mjs';
import { buildZstd, tryKeytar } from '../../scripts/setup/steps.mjs';
import { tempFolder } from '../support/temp-folder.ts';

const log = vi.hoisted(() => ({ file: '' }));
vi.mock('../../scripts/setup/places.mjs', async (original) => ({
  ...(await original<typeof places>()),
  get logFile() {
    return log.file;
  },
}));
afterEach(() => {
  vi.unstubAllEnvs();
});

interface Call {
  readonly args: readonly string[];
  readonly node: string;
  readonly nodedir: string | undefined;
  readonly userconfig: string | undefined;
  readonly path: string;
}

/** An npm that builds nothing and writes down how it was called. */
function recordingNpm(): () => Call {
  const folder = tempFolder();
  log.file = join(folder, 'log');
  const [npm, told, userconfig] = [join(folder, 'bin', 'npm-cli.js'), join(folder, 'told'), join(folder, 'npmrc')];
  mkdirSync(join(folder, 'bin'));
  writeFileSync(userconfig, '');
  writeFileSync(
    npm,
    `const { npm_config_nodedir: nodedir, npm_config_userconfig: userconfig, PATH: path } = process.env;
     require('node:fs').writeFileSync(${JSON.stringify(told)}, JSON.stringify({
       args: process.argv.slice(2), node: process.execPath, nodedir, userconfig, path }));`,
  );
  vi.stubEnv('npm_execpath', npm);
  vi.stubEnv('npm_config_userconfig', userconfig);
  vi.stubEnv('npm_config_nodedir', undefined);
  return () => {
    const call = JSON.parse(readFileSync(told, 'utf8')) as Call;
    expect(call.userconfig).toBe(userconfig);
    return call;
  };
}

test.skipIf(!isReady()).each([
  ['zstd-napi', buildZstd],
  ['keytar', tryKeytar],
])('with an empty npm user configuration %s is built by the pinned Node, with its own headers', (name, build) => {
  const recorded = recordingNpm();
  build();
  const { args, node, nodedir = '', path } = recorded();
  expect(args.slice(0, 3)).toEqual(['rebuild', name, '--ignore-scripts=false']);
  expect(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout).toBe(
    spawnSync(pinnedNode, ['--version'], { encoding: 'utf8' }).stdout,
  );
  // What `node` means to the build's scripts.
  expect(spawnSync('node', ['--version'], { encoding: 'utf8', env: { PATH: path } }).stdout.trim()).toBe(process.version);
  const version = readFileSync(join(nodedir, 'include', 'node', 'node_version.h'), 'utf8');
  const part = (field: string): string => new RegExp(`#define NODE_${field}_VERSION (\\d+)`).exec(version)?.[1] ?? '';
  expect(`v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`).toBe(process.version);
});
