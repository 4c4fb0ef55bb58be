import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { craftSnapshot, fileLine, plainLine, rootLine } from '../support/craft-snapshot.ts';
import { world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { Workshop } from '../support/run-holdfast.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

/** What a snapshot holds must never tell the next command what to remove, and no file of the user's is taken for one of ours. */

const shop = new Workshop('names');
const planted = {
  holdfast: 'restore-journal',
  version: 1,
  state: 'old',
  id: 'x',
  operation: 'restore',
  staging: 'world',
  record: 'nope',
  consumes: null,
};
const stamp = '20261124T020000Z';

function server(name: string): string {
  const folder = shop.path(name);
  mkdirSync(join(folder, 'world'), { recursive: true });
  writeFileSync(join(folder, 'world', 'level.dat'), 'precious');
  return folder;
}

describe('by the command line', () => {
  test('a journal of the server’s own takes no backup away: it is told and left out, and files with names like ours are kept', async () => {
    const source = server('source');
    writeFileSync(join(source, '.holdfast-journal'), JSON.stringify(planted));
    mkdirSync(join(source, `.holdfast-before-${stamp}`));
    const theirs = [
      '.holdfast-before-christmas.txt',
      '.holdfast-journal-notes',
      '.holdfast-restore-howto',
      '.holdfast-undo-list',
      'world/.holdfast-journal',
    ];
    for (const name of theirs) writeFileSync(join(source, name), name);
    const backup = await shop.backup(source);
    expect(backup.code, backup.stdout).toBe(3);
    expect(backup.value).toMatchObject({
      outcome: 'written',
      warnings: [
        { code: 'recovered', message: expect.stringContaining('no restore of this target has made; nothing was touched') as string },
        { code: 'own-file', path: `.holdfast-before-${stamp}`, level: 'note' },
        { code: 'own-file', path: '.holdfast-journal', level: 'note' },
      ],
    });
    const target = shop.path('target');
    const restored = await shop.restore(target);
    expect(restored.code, restored.stdout).toBe(0);
    for (const name of theirs) expect(readFileSync(join(target, name), 'utf8')).toBe(name);
    expect(existsSync(join(target, '.holdfast-journal'))).toBe(false);
    expect(existsSync(join(target, `.holdfast-before-${stamp}`))).toBe(false);
    const listed = await shop.run(['undo', '--target', target, '--list']);
    expect(listed.code, listed.stdout).toBe(0);
    expect(readFileSync(join(target, 'world', 'level.dat'), 'utf8')).toBe('precious');
  });

  test.each([
    ['the world as staging', '.holdfast-journal', planted],
    ['the world as record', '.holdfast-journal', { ...planted, staging: '.holdfast-restore-x', record: 'world' }],
    ['an undo with a staging folder', '.holdfast-journal', { ...planted, operation: 'undo', record: `.holdfast-undo-${stamp}` }],
    [
      'an undo that uses up the world',
      '.holdfast-journal',
      { ...planted, state: 'new', operation: 'undo', staging: null, record: `.holdfast-undo-${stamp}`, consumes: 'world' },
    ],
  ])('a journal planted in a target is refused: %s', async (name, file, journal) => {
    const target = server(name.replaceAll(' ', '-'));
    writeFileSync(join(target, file), JSON.stringify(journal));
    const was = treeDigest(target);
    const listed = await shop.run(['undo', '--target', target, '--list']);
    expect(listed.code).not.toBe(0);
    expect(listed.stdout + listed.stderr).toContain(join(target, '.holdfast-journal'));
    expect(listed.stdout + listed.stderr).toContain('corrupt');
    expect(treeDigest(target)).toBe(was);
  });

  test('a planted undo record cannot have the world discarded', async () => {
    const target = server('record');
    const head = {
      mode: 'entries',
      seq: 1,
      id: 'x',
      time: 1,
      partial: true,
      staged: '.holdfast-restore-x/tree',
      before: 'world',
      mtimeNs: null,
    };
    const record = join(target, `.holdfast-undo-${stamp}`);
    writeFileSync(record, `${JSON.stringify({ holdfast: 'restore-swap', version: 1, ...head })}\n{"slots":0}\n`);
    const was = treeDigest(target);
    for (const act of ['--list', '--discard']) {
      const run = await shop.run(['undo', '--target', target, act]);
      expect(run.stdout + run.stderr).toContain('which is no former content');
      expect(treeDigest(target)).toBe(was);
    }
  });
});

describe('of a snapshot that holds such names all the same', () => {
  let one: World;
  beforeAll(async () => {
    one = world();
    await craftSnapshot(one, {
      contents: [JSON.stringify(planted)],
      entries: ([frame]) =>
        frame === undefined
          ? []
          : [
              rootLine,
              plainLine(`.holdfast-before-${stamp}`, 'directory'),
              plainLine(`.holdfast-before-${stamp}/empty`, 'file'),
              fileLine('.holdfast-journal', frame),
              plainLine('.holdfast-journal.new', 'symlink', { target: 'world' }),
              plainLine(`.holdfast-undo-${stamp}`, 'file'),
              plainLine('also', 'file', { size: frame.content.length, sha256: undefined, linkOf: '.holdfast-journal' }),
              plainLine('world', 'directory'),
              fileLine('world/level.dat', frame),
            ],
    });
  });

  test('they are passed over and the rest is restored, hard links to them too', async () => {
    const target = join(tempFolder(), 'target');
    await one.restore(target);
    expect(readdirSync(target, { recursive: true }).map(String).sort()).toEqual(['also', 'world', 'world/level.dat']);
    expect(readFileSync(join(target, 'also'), 'utf8')).toBe(JSON.stringify(planted));
  });
});
