import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ToldRestore } from '../../main/contract/reports.ts';
import { formatSize } from '../../main/headless/units.ts';
import type { CliOptions, CliRun } from '../support/run-cli.ts';
import { holdfast, runCli } from '../support/run-cli.ts';
import { hasTerminal, onTerminal } from '../support/terminal.ts';

const base = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

const password = 'correct horse battery';
const source = join(base, 'survival');
const place = join(base, 'place');
const env = { HOLDFAST_STATE_DIR: join(base, 'state'), HOLDFAST_PASSWORD: password };

function run(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  return runCli(args, { ...options, env: { ...env, ...options.env } });
}

/** Runs with --json; the document is checked to be the only thing on standard output. */
async function json(args: readonly string[], options: CliOptions = {}): Promise<{ readonly code: number | null; readonly value: unknown }> {
  const { code, stdout, stderr } = await run([...args, '--json'], options);
  expect(stdout.endsWith('\n') && !stdout.slice(0, -1).includes('\n'), `one line, not: ${stdout}${stderr}`).toBe(true);
  return { code, value: JSON.parse(stdout) as unknown };
}

/** Name, type, permissions and content of all below a folder. */
function treeOf(folder: string): Readonly<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const mode = entry.isSymbolicLink() ? '' : (statSync(path).mode & 0o7777).toString(8);
    const content = entry.isFile() ? readFileSync(path).toString('base64') : '';
    tree[path.slice(folder.length + 1)] = `${entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'link'} ${mode} ${content}`;
  }
  return tree;
}

function archivesOf(server: string): readonly string[] {
  return readdirSync(join(place, server)).filter((name) => name.endsWith('.holdfast'));
}

beforeAll(() => {
  mkdirSync(join(source, 'world', 'empty'), { recursive: true });
  writeFileSync(join(source, 'server.properties'), 'motd=hello\n');
  writeFileSync(join(source, 'world', 'level.dat'), randomBytes(9 * 1024 * 1024));
  writeFileSync(join(source, 'world', 'nothing'), '');
  writeFileSync(join(source, 'start.sh'), '#!/bin/sh\n');
  chmodSync(join(source, 'start.sh'), 0o755);
  symlinkSync('world/level.dat', join(source, 'link'));
});

describe('the whole way through a folder destination', () => {
  let first: string;
  let second: string;

  it('backs up', async () => {
    const { code, value } = await json(['backup', source, '-d', `folder:${place}`]);
    expect(code).toBe(0);
    expect(value).toMatchObject({ outcome: 'written', server: 'survival', warnings: [] });
    ({ id: first } = value as { id: string });
    writeFileSync(join(source, 'new'), 'made after the first snapshot');
    const text = await run(['backup', source, '-d', `folder:${place}`]);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^Snapshot \S+ of survival: /);
    expect(text.stderr).toBe('');
  });

  it('lists the snapshots in the promised shape', async () => {
    const { code, value } = await json(['snapshots', '-d', `folder:${place}`]);
    expect(code).toBe(0);
    const rows = value as { id: string; storedBytes: number; sharedBytes: number }[];
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(['id', 'server', 'time', 'files', 'bytes', 'storedBytes', 'sharedBytes', 'complete', 'format']);
      expect(row).toMatchObject({ server: 'survival', complete: true, format: 'archive' });
    }
    second = rows.map(({ id }) => id).find((id) => id !== first) ?? '';
    const { stdout } = await run(['snapshots', '-d', `folder:${place}`]);
    // What the second one added to what it shares with the first, as the places of the objects say.
    const sizeOf = (id: string, ending: string): number => statSync(join(place, 'survival', `${id}${ending}`)).size;
    const [one, two] = [sizeOf(first, '.holdfast'), sizeOf(second, '.holdfast')];
    expect(rows.find(({ id }) => id === second)).toMatchObject({ sharedBytes: one });
    expect(rows.find(({ id }) => id === second)?.storedBytes).toBeGreaterThanOrEqual(two + sizeOf(second, '.manifest'));
    expect(rows.find(({ id }) => id === first)).toMatchObject({ sharedBytes: 0 });
    const cells =
      stdout
        .split('\n')
        .find((line) => line.startsWith(second))
        ?.split(/ {2,}/) ?? [];
    expect(cells.slice(-3, -1)).toEqual([formatSize(rows.find(({ id }) => id === second)?.storedBytes ?? 0), formatSize(one)]);
  });

  it('lists the files, all or under a path', async () => {
    const { value } = await json(['ls', 'latest', '-d', `folder:${place}`]);
    const rows = value as { path: string; type: string; size: number; mode: number }[];
    expect(
      rows
        .map(({ path }) => path)
        .filter((path) => path !== '.')
        .sort(),
    ).toEqual(Object.keys(treeOf(source)).sort());
    expect(rows).toContainEqual(expect.objectContaining({ path: 'start.sh', type: 'file', size: 10, mode: 0o755 }));
    expect(rows).toContainEqual(expect.objectContaining({ path: 'link', type: 'symlink', target: 'world/level.dat' }));
    const part = (await json(['ls', first, 'world', '-d', `folder:${place}`])).value as { path: string }[];
    expect(part.map(({ path }) => path).sort()).toEqual(['world', 'world/empty', 'world/level.dat', 'world/nothing']);
    expect((await json(['ls', first, 'no/such/path', '-d', `folder:${place}`])).code).toBe(10);
  });

  it('restores what was backed up, and undoes it', async () => {
    const target = join(base, 'target');
    const fresh = await json(['restore', 'latest', '-d', `folder:${place}`, '--target', target]);
    expect(fresh.code).toBe(0);
    expect(fresh.value).toMatchObject({ id: second, before: null, keptBytes: null, damaged: [] });
    expect(treeOf(target)).toEqual(treeOf(source));

    writeFileSync(join(target, 'mine'), 'made after the restore');
    const refused = await json(['restore', first, '-d', `folder:${place}`, '--target', target]);
    expect(refused.code).not.toBe(0);
    expect(refused.value).toMatchObject({ ok: false });
    expect(existsSync(join(target, 'mine'))).toBe(true);

    const replaced = await run(['restore', first, '-d', `folder:${place}`, '--target', target, '--replace']);
    expect(replaced.code).toBe(0);
    expect(replaced.stdout).toMatch(/former content lies in .* \(\d+\.\d MiB\).*holdfast undo/);
    expect(existsSync(join(target, 'new'))).toBe(false);
    const kept = await json(['undo', '--target', target, '--list']);
    expect(kept.value).toMatchObject([{ partial: false }]);
    expect((await json(['undo', '--target', target])).code).toBe(0);
    expect(readFileSync(join(target, 'mine'), 'utf8')).toBe('made after the restore');
    // How much room the former content takes is told in both forms, and is what undo says of it.
    const again = (await json(['restore', first, '-d', `folder:${place}`, '--target', target, '--replace'])).value as ToldRestore;
    expect(again.keptBytes).toBeGreaterThan(9 * 1024 * 1024);
    const [newest] = (await json(['undo', '--target', target, '--list'])).value as readonly { before: string; bytes: number }[];
    expect(newest).toMatchObject({ before: again.before, bytes: again.keptBytes });
    expect(replaced.stdout).toContain(`(${formatSize(again.keptBytes ?? 0)})`);
    expect((await json(['undo', '--target', target, '--discard'])).code).toBe(0);
    expect((await json(['undo', '--target', target, '--list'])).value).toEqual([]);
  });

  it('restores a part and leaves the rest alone', async () => {
    const target = join(base, 'part');
    mkdirSync(target);
    writeFileSync(join(target, 'mine'), 'x');
    const { code } = await json([
      'restore',
      'latest',
      '-d',
      `folder:${place}`,
      '--target',
      target,
      '--include',
      'world/level.dat',
      '--replace',
    ]);
    expect(code).toBe(0);
    expect(readFileSync(join(target, 'world', 'level.dat'))).toEqual(readFileSync(join(source, 'world', 'level.dat')));
    expect(readdirSync(target).sort()).toEqual(['mine', 'world']);
  });

  it('verifies, quickly and wholly', async () => {
    expect(await json(['verify', '-d', `folder:${place}`, '--quick'])).toMatchObject({ code: 0, value: { damage: [] } });
    const whole = await run(['verify', 'all', '-d', `folder:${place}`]);
    expect(whole.code).toBe(0);
    expect(whole.stdout).toMatch(/2 snapshots checked, no damage found/);
  });

  it('pins, prunes the rest, unpins', async () => {
    expect(await json(['pin', first, '-d', `folder:${place}`, '--note', 'before the update'])).toMatchObject({
      code: 0,
      value: { pinned: true },
    });
    const third = (await json(['backup', source, '-d', `folder:${place}`, '--force', '--whole'])).value as { id: string };
    const dry = await json(['prune', '-d', `folder:${place}`, '--server', 'survival', '--keep-last', '1', '--dry-run']);
    expect(dry.code).toBe(0);
    const plan = dry.value as { keep: { id: string; reasons: string[] }[]; remove: { id: string }[] };
    expect(plan.keep.map(({ id }) => id).sort()).toEqual([first, third.id].sort());
    expect(plan.keep.every(({ reasons }) => reasons.length > 0)).toBe(true);
    expect(plan.remove.map(({ id }) => id)).toEqual([second]);
    expect(archivesOf('survival')).toHaveLength(3);
    expect((await run(['prune', '-d', `folder:${place}`, '--server', 'survival', '--keep-last', '1'])).stdout).toMatch(
      /Removed 1 snapshot, /,
    );
    expect(archivesOf('survival')).toHaveLength(2);
    expect((await json(['unpin', first, '-d', `folder:${place}`])).code).toBe(0);
  });

  it('writes a kit, and opens a sealed file without its destination', async () => {
    const kit = join(base, 'kit.txt');
    expect((await json(['kit', '-d', `folder:${place}`, '-o', kit])).code).toBe(0);
    expect(readFileSync(kit, 'utf8')).not.toContain(password);
    const archive = join(place, 'survival', `${first}.holdfast`);
    const out = join(base, 'out.zip');
    expect(await json(['open', archive, '-o', out])).toMatchObject({ code: 0, value: { kind: 'zip', file: out } });
    expect(readFileSync(out).subarray(0, 2).toString('latin1')).toBe('PK');
    const lines = await run(['open', join(place, 'survival', `${first}.manifest`), '-o', '-']);
    expect(lines.code).toBe(0);
    for (const line of lines.stdout.trimEnd().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    const lone = join(base, 'lone.holdfast');
    writeFileSync(lone, readFileSync(archive));
    expect((await json(['open', lone])).code).toBe(3);
  });

  it.each([
    ['notes.holdfast', 13],
    ['notes.txt', 12],
  ])('of a file that is none of its own, %s, it says which ones are', async (name, code) => {
    const file = join(base, name);
    writeFileSync(file, 'Not one of ours, and longer than the header of those that are. '.repeat(9));
    const refused = await run(['open', file]);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toContain('*.holdfast, *.manifest and *.zip.zst.enc');
    expect(refused.stderr).not.toContain('--salvage');
  });

  it('opens with the recovery key out of a kit', async () => {
    const kit = join(base, 'kit-with-key.txt');
    expect((await json(['kit', '-d', `folder:${place}`, '-o', kit, '--recovery-key'])).code).toBe(0);
    const keys = join(base, 'keys.txt');
    writeFileSync(keys, (readFileSync(kit, 'utf8').match(/^ +HFRK1-.*$/gm) ?? []).join('\n'), { mode: 0o600 });
    const wrong = { HOLDFAST_PASSWORD: 'not the password' };
    expect((await json(['snapshots', '-d', `folder:${place}`, '--recovery-key-file', keys], { env: wrong })).code).toBe(0);
  });

  it('changes the password', async () => {
    const next = 'another long password';
    expect(await json(['password', '-d', `folder:${place}`], { env: { HOLDFAST_NEW_PASSWORD: next } })).toMatchObject({
      code: 0,
      value: { newKey: false },
    });
    expect((await json(['ls', 'latest', '-d', `folder:${place}`])).code).toBe(12);
    expect((await json(['ls', 'latest', '-d', `folder:${place}`], { env: { HOLDFAST_PASSWORD: next } })).code).toBe(0);
    const back = { HOLDFAST_PASSWORD: next, HOLDFAST_NEW_PASSWORD: password };
    expect((await json(['password', '-d', `folder:${place}`], { env: back })).code).toBe(0);
  });

  it('--level: the same folder takes less room at a higher one', async () => {
    const folder = join(base, 'text');
    mkdirSync(folder);
    // Words in no order, so that there is something to find.
    const words = Array.from({ length: 2_000 }, (_, index) => randomBytes(2 + (index % 7)).toString('hex'));
    const picks = randomBytes(400_000);
    const text = Array.from({ length: 200_000 }, (_, index) => words[picks.readUInt16LE(index * 2) % words.length]);
    writeFileSync(join(folder, 'text'), text.join(' '));
    const stored = async (level: string): Promise<number> => {
      const { code, value } = await json([
        'backup',
        folder,
        '-d',
        `folder:${join(base, 'levels')}`,
        '--server',
        `level ${level}`,
        '--level',
        level,
      ]);
      expect(code).toBe(0);
      return (value as { storedBytes: number }).storedBytes;
    };
    expect(await stored('19')).toBeLessThan(0.98 * (await stored('1')));
  });

  it('ends with 10 for what is not there', async () => {
    expect(await json(['snapshots', '-d', `folder:${base}/none`])).toMatchObject({ code: 10, value: { fault: { code: 'not-found' } } });
    expect((await json(['restore', '20200101T000000Z-aaaaaa', '-d', `folder:${place}`, '--target', join(base, 'x')])).code).toBe(10);
    expect((await json(['verify', 'latest', '-d', `folder:${place}`, '--server', 'nobody'])).code).toBe(10);
    expect((await json(['backup', join(base, 'no-folder'), '-d', `folder:${place}`])).code).toBe(10);
  });

  it('ends with 11 when a process uses the target', async () => {
    const target = join(base, 'busy');
    mkdirSync(target);
    writeFileSync(join(target, 'mine'), 'x');
    const user = spawn('sleep', ['600'], { cwd: target, stdio: 'ignore' });
    await once(user, 'spawn');
    try {
      const args = ['restore', 'latest', '-d', `folder:${place}`, '--target', target, '--replace'];
      expect(await json(args)).toMatchObject({ code: 11, value: { fault: { code: 'locked' } } });
      expect(readdirSync(target)).toEqual(['mine']);
    } finally {
      user.kill();
    }
  });

  it('ends with 12 for a wrong password, and says nothing of it', async () => {
    const wrong = { HOLDFAST_PASSWORD: 'hunter2-hunter2' };
    const { code, stderr, stdout } = await run(['snapshots', '-d', `folder:${place}`], { env: wrong });
    expect({ code, stdout }).toEqual({ code: 12, stdout: '' });
    expect(stderr).toMatch(/^holdfast: .+\n(Cause: .+\n)?Next: .+\n$/);
    expect(stderr).not.toContain('hunter2');
  });

  it('Ctrl-C in the middle of a backup ends with 130 and leaves no part behind', async () => {
    const large = join(base, 'large');
    mkdirSync(large);
    writeFileSync(join(large, 'noise'), randomBytes(40 * 1024 * 1024));
    const before = readdirSync(place, { recursive: true }).sort();
    const uploads = join(place, '.holdfast-uploads');
    const stopped = await run(['backup', large, '-d', `folder:${place}`, '--limit-upload', '64K'], {
      whileRunning: (child) => {
        const look = setInterval(() => {
          if (!existsSync(uploads) || readdirSync(uploads).length === 0) return;
          // Once: a second one stops at once, without cleaning up.
          clearInterval(look);
          child.kill('SIGINT');
        }, 50);
        child.on('close', () => {
          clearInterval(look);
        });
      },
    });
    expect(stopped.code).toBe(130);
    expect(readdirSync(place, { recursive: true }).sort()).toEqual(before);
  });

  it('ends with 13 for damage, and with 3 when a salvage leaves out what is damaged', async () => {
    const archive = join(place, 'survival', archivesOf('survival').at(-1) ?? '');
    const bytes = readFileSync(archive);
    // In the middle of the one large file, which shares its frames with no other.
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    writeFileSync(archive, bytes);
    const found = await json(['verify', 'latest', '-d', `folder:${place}`]);
    expect(found.code).toBe(13);
    const { damage } = found.value as { damage: { files: { path: string }[] }[] };
    expect(damage.flatMap(({ files }) => files.map(({ path }) => path))).toEqual(['world/level.dat']);
    const target = join(base, 'salvaged');
    expect(await json(['restore', 'latest', '-d', `folder:${place}`, '--target', target])).toMatchObject({
      code: 13,
      value: { ok: false },
    });
    expect(existsSync(target)).toBe(false);
    const salvaged = await json(['restore', 'latest', '-d', `folder:${place}`, '--target', target, '--salvage']);
    expect(salvaged).toMatchObject({ code: 3, value: { damaged: [{ path: 'world/level.dat' }] } });
    expect(readFileSync(join(target, 'server.properties'), 'utf8')).toBe('motd=hello\n');
    expect((await json(['open', archive, '-o', join(base, 'damaged.zip')])).code).toBe(13);
    expect(existsSync(join(base, 'damaged.zip'))).toBe(false);
  });

  it.skipIf(!hasTerminal)('asks for the password of a new destination twice, without echo', async () => {
    const fresh = join(base, 'fresh');
    const steps = [
      { expect: 'Password for the new backup place: ', send: 'typed on the terminal\r' },
      { expect: 'The same again: ', send: 'typed on the terminal\r' },
    ];
    const argv = [process.execPath, holdfast, 'backup', source, '-d', `folder:${fresh}`];
    const { code, transcript, echoWhileAsked } = await onTerminal(argv, steps, { HOLDFAST_STATE_DIR: env.HOLDFAST_STATE_DIR });
    expect(code).toBe(0);
    expect(echoWhileAsked).toEqual([false, false]);
    expect(transcript).not.toContain('typed on the terminal');
    expect(transcript).toContain('Snapshot ');
    expect((await json(['snapshots', '-d', `folder:${fresh}`], { env: { HOLDFAST_PASSWORD: 'typed on the terminal' } })).code).toBe(0);
  });
});
