import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { password, root } from './run-command.ts';

const counter = pathToFileURL(join(root, 'tests', 'support', 'count-writes.mjs')).href;

/** One file of each folder that has files grows by a line. */
export function changeOneInEachFolder(tree: string): void {
  for (const part of readdirSync(tree))
    for (const folder of readdirSync(join(tree, part))) appendFileSync(join(tree, part, folder, 'file-0.txt'), 'one line more\n');
}

/** A backup to a folder that is killed (kill -9) when it has written down so many volumes; its state lies in `place`. */
export function killedBackup(args: readonly string[], place: string, volumes: number): void {
  const { signal, stderr } = spawnSync(process.execPath, [join(root, 'bin', 'holdfast.js'), ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...{ ...process.env, HOLDFAST_STATE_DIR: join(place, 'state'), HOLDFAST_PASSWORD: password },
      ...{ NODE_OPTIONS: `--import=${counter}`, WRITES_TO: join(place, 'writes'), DIES_AT: `.partial:${String(volumes)}` },
    },
  });
  if (signal !== 'SIGKILL') throw new Error(`a backup that was to be killed came to its end: ${stderr}`);
}
