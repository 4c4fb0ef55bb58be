/** `npm run dist`: the packages of electron-builder.yml that are for this system and this processor; arguments go to electron-builder. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { targetsHere } from './app/targets-here.ts';

const root = join(import.meta.dirname, '..');
const builder = join(root, 'node_modules', 'electron-builder', 'cli.js');
const args = [...(await targetsHere(root, process.platform, process.arch)), '--publish', 'never', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [builder, ...args], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
