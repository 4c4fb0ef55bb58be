import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DestinationCheck } from '../../main/contract/reports.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const canMount = spawnSync('unshare', ['-Urm', 'true']).status === 0;
const isRoot = process.geteuid?.() === 0;

/** In a folder of its own; `under`: what runs the command, given that folder. */
async function tested(under: (place: string) => readonly string[]) {
  const base = tempFolder();
  const place = join(base, 'place');
  mkdirSync(place);
  const env = { HOLDFAST_STATE_DIR: join(base, 'state') };
  const { code, stdout, stderr } = await runCli(['test', `folder:${place}`, '--json'], { cwd: base, env, under: under(place) });
  expect(stderr).toBe('');
  const checks = JSON.parse(stdout) as readonly DestinationCheck[];
  return { code, checks, wrong: checks.filter(({ ok }) => !ok), left: readdirSync(place) };
}

describe.skipIf(!canMount)('holdfast test of a folder on a disk of its own (skipped where user namespaces are forbidden)', () => {
  /** A file system in memory, which only the command sees. */
  const onDisk =
    (options: string) =>
    (place: string): readonly string[] => [
      ...['unshare', '-Urm', 'sh', '-c'],
      ...[`mount -t tmpfs -o ${options} none '${place}' && exec "$@"`, 'sh'],
    ];

  test('with room nothing is wrong, and how much there is is told', async () => {
    const { code, checks, wrong } = await tested(onDisk('size=30g'));
    expect([code, wrong]).toEqual([0, []]);
    expect(checks.find(({ name }) => name === 'space')?.message).toBe('30.0 GiB of 30.0 GiB are free');
  });

  test.each([
    ['is nearly full', 'size=64m', 'space', 'this place is nearly full: 64 MiB of 64 MiB are free', 'get more storage before it is full'],
    ['is full', 'size=15m', 'write', 'needs 100000 bytes, and 15728640 are free', 'Free space on the disk, or keep fewer snapshots.'],
    [
      'is read-only',
      'ro',
      'write',
      'lies on a file system that is read-only (EROFS)',
      'Give the account the right to read, write and delete',
    ],
  ])('a disk that %s is told so', async (_, options, name, message, next) => {
    const { code, wrong } = await tested(onDisk(options));
    expect([code, wrong.map((check) => check.name)]).toEqual([1, [name]]);
    expect(wrong[0]?.message).toContain(message);
    expect(wrong[0]?.next).toContain(next);
  });
});

test('holdfast test of a folder that this account may not write to', async () => {
  // Root may write anywhere, and so gives its powers up; its state goes where anybody's may.
  const asOther = isRoot ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] : [];
  const { code, wrong, left } = await tested((place) => {
    chmodSync(join(place, '..'), 0o777);
    chmodSync(place, 0o555);
    return asOther;
  });
  expect([code, wrong.map(({ name }) => name)]).toEqual([1, ['write']]);
  expect(wrong[0]?.message).toContain('may not be used by this account (EACCES)');
  expect(wrong[0]?.next).toContain('Give the account the right to read, write and delete there, or choose another place.');
  expect(left).toEqual([]);
});
