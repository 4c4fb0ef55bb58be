import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';

const root = join(import.meta.dirname, '..', '..');
const hook = pathToFileURL(join(root, 'tests', 'support', 'try-tampered.mjs')).href;

/** scripts/try.ts with a copy that `tamper` has worked on in the place of what was restored. */
function tried(tamper: (copy: string) => void): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const base = tempFolder();
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  mkdirSync(source);
  writeFileSync(join(source, 'level.dat'), 'blocks');
  execFileSync('cp', ['-a', source, copy]);
  tamper(copy);
  return spawnSync(process.execPath, ['--import', hook, join(root, 'scripts', 'try.ts'), source], {
    encoding: 'utf8',
    env: { ...process.env, TRY_COPY: copy, INIT_CWD: base },
  });
}

test('a trial whose folder came back byte for byte ends with 0', () => {
  const { status, stdout, stderr } = tried(() => undefined);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('The folder came back byte for byte.');
});

test('a trial ends with 1 on a single other byte, and names the file', () => {
  const { status, stdout } = tried((copy) => {
    const file = join(copy, 'level.dat');
    execFileSync('bash', [
      '-c',
      'touch -r "$0" "$0.time"; printf X | dd of="$0" conv=notrunc status=none; touch -r "$0.time" "$0"; rm "$0.time"',
      file,
    ]);
    execFileSync('touch', ['-r', join(copy, '..', 'source'), copy]);
  });
  expect(status).toBe(1);
  expect(stdout).toContain('The folder that came back is NOT the same.');
  expect(stdout).toMatch(/level\.dat: other bytes from 0 on/);
  expect(stdout).toContain('1 file, 0 folders, 0 symbolic links: 1 difference');
});
