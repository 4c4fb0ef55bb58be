/**
 * Checks the types of everything, then each room with only what it may see: a wall that lint missed is an error here as well
 * (TS6307, or a type that the room does not have).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** tsconfig.json: everything. The others: a room with the rooms that it may import. */
const rooms = ['contract', 'engine', 'adapters', 'compose', 'headless', 'electron', 'preload'];
const projects = ['tsconfig.json', ...rooms.map((room) => `tsconfig.${room}.json`)];

/** The page has markup, which only Svelte's own checker reads. */
const page = [
  join(root, 'node_modules', 'svelte-check', 'bin', 'svelte-check'),
  '--tsconfig',
  'renderer/tsconfig.json',
  '--fail-on-warnings',
];

// Stops at the first that is not clean: the next ones would mostly repeat it.
const unclean = projects.find(
  (project) => spawnSync(process.execPath, [tsc, '--project', join(root, project)], { cwd: root, stdio: 'inherit' }).status !== 0,
);
if (unclean !== undefined) process.stdout.write(`${unclean} is not clean.\n`);
const isClean =
  unclean === undefined && spawnSync(process.execPath, [...page, '--output', 'human'], { cwd: root, stdio: 'inherit' }).status === 0;
process.exitCode = isClean ? 0 : 1;
