import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import { Fault } from '../../main/contract/faults.ts';
import { craftSnapshot, fileLine, plainLine, rootLine } from '../support/craft-snapshot.ts';
import { world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

/** What a restore through the whole engine promises the folder that it goes to. */

let one: World;
beforeAll(async () => {
  one = world();
  await craftSnapshot(one, {
    header: { excludes: ['*.log', 'cache/'] },
    entries: ([frame]) =>
      frame === undefined
        ? []
        : [rootLine, fileLine('server.properties', frame), plainLine('world', 'directory'), fileLine('world/level.dat', frame)],
  });
});

function liveServer(): { root: string; target: string } {
  const root = tempFolder();
  const target = join(root, 'server');
  mkdirSync(join(target, 'cache'), { recursive: true });
  mkdirSync(join(target, 'world'));
  writeFileSync(join(target, 'server.properties'), 'newer');
  writeFileSync(join(target, 'latest.log'), 'joined the game');
  writeFileSync(join(target, 'cache', 'tile'), 'tile');
  writeFileSync(join(target, 'world', 'made-since'), 'made since');
  symlinkSync('world', join(target, 'link'));
  return { root, target };
}

async function code(act: Promise<unknown>): Promise<string | null> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null) expect(error).toBeInstanceOf(Fault);
  return (error as Fault | null)?.code ?? null;
}

test('a folder that holds something is not touched without --replace', async () => {
  const { root, target } = liveServer();
  const was = treeDigest(root);
  expect(await code(one.restore(target))).toBe('config-invalid');
  expect(treeDigest(root)).toBe(was);
});

test('one that a process uses is refused without --force, by the real look at /proc', async () => {
  const { root, target } = liveServer();
  const was = treeDigest(root);
  const real = world({ backend: one.backend, host: { targets: createRestoreTargets() } });
  const user = spawn('sleep', ['60'], { cwd: join(target, 'world') });
  await once(user, 'spawn');
  try {
    expect(await code(real.restore(target, { replace: true }))).toBe('locked');
    expect(treeDigest(root)).toBe(was);
    expect(await code(real.restore(target, { replace: true, force: true }))).toBe(null);
  } finally {
    user.kill();
  }
});

test('undo brings the former tree back byte for byte, and what the snapshot had excluded is in both', async () => {
  const { target } = liveServer();
  const was = treeDigest(target);
  const report = await one.restore(target, { replace: true });
  expect(readdirSync(target).sort()).toEqual(['cache', 'latest.log', 'server.properties', 'world']);
  expect(readFileSync(join(target, 'latest.log'), 'utf8')).toBe('joined the game');
  expect(readFileSync(join(target, 'cache', 'tile'), 'utf8')).toBe('tile');
  expect([readdirSync(join(target, 'world')), report.before !== null && existsSync(report.before)]).toEqual([['level.dat'], true]);
  expect(treeDigest(report.before ?? '')).toBe(was);
  await createUndoTarget().undo(target, { force: true, time: Date.now() });
  expect(treeDigest(target)).toBe(was);
});

test('patterns that match nothing are told and change nothing', async () => {
  const { root, target } = liveServer();
  const was = treeDigest(root);
  expect(await code(one.restore(target, { replace: true, include: ['/no/such/file'] }))).toBe('not-found');
  expect(treeDigest(root)).toBe(was);
});

test('a snapshot of folders alone, which no backup writes, takes no target’s place', async () => {
  const { root, target } = liveServer();
  const was = treeDigest(root);
  const made = world();
  await craftSnapshot(made, { entries: () => [rootLine, plainLine('world', 'directory')] });
  expect(await code(made.restore(target, { replace: true }))).toBe('not-found');
  expect(treeDigest(root)).toBe(was);
});

test('patterns exchange what they match and nothing else, also where the target has a link in the way', async () => {
  const { root, target } = liveServer();
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside', 'level.dat'), 'not yours');
  spawnSync('rm', ['-r', join(target, 'world')]);
  symlinkSync('../outside', join(target, 'world'));
  await one.restore(target, { replace: true, include: ['/world/level.dat'] });
  expect(readFileSync(join(root, 'outside', 'level.dat'), 'utf8')).toBe('not yours');
  expect(readdirSync(join(root, 'outside'))).toEqual(['level.dat']);
  expect(readFileSync(join(target, 'world', 'level.dat'), 'utf8')).toBe('the content of a file');
  expect(readFileSync(join(target, 'server.properties'), 'utf8')).toBe('newer');
});

const canMount = spawnSync('unshare', ['-Urm', 'true']).status === 0;
test.skipIf(!canMount).each([
  ['for its content', 'size=1m', {}, 'freeBytes'],
  ['for what a damaged snapshot would hold, though not all of that can be salvaged', 'size=1m', { salvage: true }, 'freeBytes'],
  ['for its folders, which hold nothing', 'size=64m,nr_inodes=20', { include: ['/folder*'] }, 'freeFiles'],
])('a disk that is too small %s is told before anything is written to it', (_, size, request, figure) => {
  const place = tempFolder();
  const script = `
    import { readdirSync } from 'node:fs';
    import { craftSnapshot, fileLine, plainLine, rootLine } from '${new URL('../support/craft-snapshot.ts', import.meta.url).href}';
    import { contents, put, world } from '${new URL('../support/engine-on-memory.ts', import.meta.url).href}';
    const one = world();
    const folders = Array.from({ length: 30 }, (_, folder) => plainLine('folder ' + String(folder).padStart(2, '0'), 'directory'));
    const entries = ([large, small]) => [rootLine, fileLine('a large', large), fileLine('a small', small), ...folders];
    const { archive } = await craftSnapshot(one, { contents: [Buffer.alloc(3_000_000, 1), 'small'], entries });
    const request = ${JSON.stringify(request)};
    if (request.salvage) {
      const bytes = (await contents(one.backend)).get(archive);
      bytes[200] ^= 1;
      await put(one.backend, archive, bytes);
    }
    const error = await one.restore('${place}/disk/server', request).catch((reason) => reason);
    // Only the check before has figures; a disk that fills up meanwhile is the same fault without them.
    const figures = Object.keys(error.context).filter((name) => name.startsWith('free'));
    process.stdout.write(JSON.stringify([error.code, figures, readdirSync('${place}/disk')]));
  `;
  writeFileSync(join(place, 'run.mjs'), script);
  mkdirSync(join(place, 'disk'));
  const run = spawnSync(
    'unshare',
    ['-Urm', 'sh', '-c', `mount -t tmpfs -o ${size} none ${place}/disk && exec ${process.execPath} ${place}/run.mjs`],
    {
      encoding: 'utf8',
    },
  );
  expect([run.stdout, run.stderr]).toEqual([`["disk-full",["${figure}"],[]]`, expect.any(String)]);
});
