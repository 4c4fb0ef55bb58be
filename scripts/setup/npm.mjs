import { spawnSync } from 'node:child_process';
import { accessSync, appendFileSync, constants, existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, join, sep } from 'node:path';
import { SetupFault } from './fault.mjs';
import { logFile, modules, root } from './places.mjs';

/** Asked at once: `npm ci` may take the file away. */
const ownNode = realpathSync(process.execPath);

/**
 * Runs npm and keeps what it prints in the log file. The npm that started us is used again (npm 10 and 11 both do), under a
 * Node outside node_modules unless one is named: `npm ci` deletes the folder that the pinned one lies in.
 * @param {string[]} args
 * @param {Record<string, string>} env added to ours
 * @param {string} [node]
 */
export function runNpm(args, env, node = systemNode()) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli !== undefined && basename(cli) === 'npm-cli.js' && existsSync(cli) ? [node, [cli]] : ['npm', []];
  const quiet = ['--loglevel=http', '--no-audit', '--no-fund', '--no-progress', '--no-update-notifier', '--foreground-scripts'];
  const result = spawnSync(command, [...first, ...args, ...quiet], {
    cwd: root,
    env: { ...process.env, PATH: pathWithoutModules(), ...env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.error?.code === 'ENOENT') throw new SetupFault('npm was not found. On Debian and Ubuntu: apt-get install -y npm');
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  appendFileSync(logFile, `\n$ npm ${args.join(' ')}\n${output}`);
  if (result.status === 0) return;
  throw new SetupFault(explain(args, output), { hasLog: true, cause: result.error });
}

/** @param {string[]} args @param {string} output what npm printed */
export function explain(args, output) {
  const command = `npm ${args.join(' ')}`;
  if (/\bENOSPC\b|No space left/i.test(output)) return `\`${command}\` failed: the disk is full.`;
  if (args.includes('zstd-napi')) {
    const missing = missingBuildTools();
    if (missing.length > 0) {
      return (
        'no prebuilt zstd module could be fetched, and it cannot be built here: ' +
        `${missing.join(', ')} not found.\nOn Debian and Ubuntu: apt-get install -y build-essential python3\nThen run the same command again.`
      );
    }
  }
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/.test(output)) {
    return `\`${command}\` could not reach the npm registry. Is this machine online, and is a proxy needed (npm config set proxy URL)?`;
  }
  if (/\b(EACCES|EPERM)\b/.test(output)) {
    return `\`${command}\` may not write here. Was an earlier set-up run as another user? Then: chown -R "$(id -un)" ${root}`;
  }
  return `\`${command}\` failed. Its last lines:\n\n${output.trimEnd().split('\n').slice(-15).join('\n')}\n`;
}

/** What node-gyp needs and the PATH does not offer. */
function missingBuildTools() {
  /** @type {[string, string[]][]} */
  const needs = [
    ['make', ['make', 'gmake']],
    ['a C++ compiler', [process.env.CXX ?? 'c++', 'g++', 'clang++']],
    ['python3', [process.env.PYTHON ?? 'python3', 'python']],
  ];
  return needs.filter(([, commands]) => !commands.some(isOnPath)).map(([name]) => name);
}

/** @param {string} command */
function isOnPath(command) {
  return pathFolders().some((folder) => isExecutable(join(folder, command)));
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function systemNode() {
  if (!ownNode.startsWith(realpathSync(root) + sep)) return ownNode;
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const other = pathFolders()
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (other === undefined) throw new SetupFault('the pinned Node cannot replace itself: install a Node of the system (20 or newer) first.');
  return other;
}

/** PATH without node_modules/.bin, which `npm run` puts in front: the tools in it are the ones that are being replaced. */
function pathWithoutModules() {
  return pathFolders().join(delimiter);
}

function pathFolders() {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '' && !folder.startsWith(modules));
}
