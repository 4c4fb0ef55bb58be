import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * One folder for all temporary files of a run of the tests, gone when it ends. What is killed removes nothing of its own, workers of Vitest end without their
 * 'exit' handlers, and what stands beside a target in the temporary folder is in no test's own.
 */
export function setup(): () => void {
  // A short name: paths of Unix sockets end at 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-run-'));
  // As /tmp is: others may come in, and what they put there is theirs.
  chmodSync(folder, 0o1777);
  process.env['TMPDIR'] = folder;
  return () => {
    // rm walks by open folders: no path is too long for it. Folders that may not be entered are opened up first.
    if (process.geteuid?.() !== 0) spawnSync('chmod', ['-R', 'u+rwx', folder], { stdio: 'inherit' });
    const { status } = spawnSync('rm', ['-rf', folder], { stdio: 'inherit' });
    if (status !== 0) process.stderr.write(`${folder} could not be removed.\n`);
  };
}
