import { existsSync, readFileSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { SetupFault } from './fault.mjs';
import { runNpm } from './npm.mjs';
import { binFolder, lockFile, modules, pinnedNode, root } from './places.mjs';

/** What npm wrote down about its last finished install must agree with the lock file; what is optional may be absent. */
export function dependenciesAreInstalled() {
  const written = join(modules, '.package-lock.json');
  if (!existsSync(written)) return false;
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const present = JSON.parse(readFileSync(written, 'utf8')).packages;
  const extra = Object.keys(present).some((path) => !(path in wanted));
  return (
    !extra &&
    Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      if (path === '') return true;
      const found = present[path];
      if (found === undefined) return optional === true;
      return found.version === version && found.integrity === integrity && existsSync(join(root, path));
    })
  );
}

/**
 * Without install scripts: run all at once they race, one fetching the headers that the other compiles with. The two that
 * are needed follow by name.
 */
export function installDependencies() {
  runNpm(['ci', '--ignore-scripts', '--include=dev', '--include=optional'], {});
}

export function nodeIsInstalled() {
  return existsSync(pinnedNode) && hasHeaders() && versionOf(pinnedNode) === `v${pinnedVersion()}`;
}

export function installNode() {
  runNpm(['rebuild', 'node', '--ignore-scripts=false'], {});
  if (nodeIsInstalled()) return;
  throw new SetupFault(
    `the pinned Node ${pinnedVersion()} does not run on this machine (${process.platform} ${process.arch}). It needs a glibc system, x64 or arm64.`,
    { hasLog: true },
  );
}

/** A round trip under the pinned Node: that a file is there would not say that it was built for this Node and this machine. */
export function zstdLoads() {
  const trial = `
    const { compress, decompress } = require(${JSON.stringify(join(modules, 'zstd-napi'))});
    if (decompress(compress(Buffer.from('holdfast'))).toString() !== 'holdfast') process.exit(1);`;
  return spawnSync(pinnedNode, ['-e', trial], { stdio: 'ignore', cwd: root }).status === 0;
}

export function buildZstd() {
  // npm and node-gyp run under the pinned Node and compile with its own headers, so nothing is fetched and no other Node's are taken.
  const env = {
    PATH: `${binFolder}${delimiter}${process.env.PATH ?? ''}`,
    npm_config_nodedir: headersFolder(),
    MAKEFLAGS: process.env.MAKEFLAGS ?? '-j2',
  };
  runNpm(['rebuild', 'zstd-napi', '--ignore-scripts=false'], env, pinnedNode);
  if (!zstdLoads()) throw new SetupFault('the native zstd module was built but does not load under the pinned Node.', { hasLog: true });
}

/** Loading it opens no keyring yet: it only finds the system's library. */
export function keytarLoads() {
  const trial = `require(${JSON.stringify(join(modules, 'keytar'))})`;
  return spawnSync(pinnedNode, ['-e', trial], { stdio: 'ignore', cwd: root }).status === 0;
}

/** Fetches or builds the bridge to the system's keyring. Without libsecret there is none, and all else works: it is no failure. */
export function tryKeytar() {
  const env = {
    PATH: `${binFolder}${delimiter}${process.env.PATH ?? ''}`,
    npm_config_nodedir: headersFolder(),
    MAKEFLAGS: process.env.MAKEFLAGS ?? '-j2',
  };
  try {
    runNpm(['rebuild', 'keytar', '--ignore-scripts=false'], env, pinnedNode);
  } catch (error) {
    if (!(error instanceof SetupFault)) throw error;
  }
  return keytarLoads();
}

const system = process.platform === 'win32' ? 'win' : process.platform;
const headers = join(modules, 'node', 'node_modules', `node-${system}-${process.arch}`);

function headersFolder() {
  if (hasHeaders()) return headers;
  throw new SetupFault(`the pinned Node came without its headers (${headers}).`, { hasLog: true });
}

/** An `npm install` of something else takes them away again. */
function hasHeaders() {
  return statSync(join(headers, 'include', 'node', 'node_api.h'), { throwIfNoEntry: false })?.isFile() === true;
}

function pinnedVersion() {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages['node_modules/node'].version;
}

/** @param {string} node */
function versionOf(node) {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
}
