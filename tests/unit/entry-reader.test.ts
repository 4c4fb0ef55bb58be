import { execFileSync } from 'node:child_process';
import { appendFileSync, linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFrameRingMemory, FrameRing, slotState } from '../../main/adapters/compute/frame-ring.ts';
import { EntryReader } from '../../main/adapters/compute/pack/entry-reader.ts';
import { FirstNames } from '../../main/adapters/compute/pack/first-names.ts';
import { readNotes } from '../../main/adapters/compute/pack/frame-notes.ts';
import { FrameWriter } from '../../main/adapters/compute/pack/frame-writer.ts';
import { volumeLimits, VolumeWriter } from '../../main/adapters/compute/pack/volume-writer.ts';
import { ZipDirectory } from '../../main/adapters/compute/pack/zip-directory.ts';
import { PathTable } from '../../main/adapters/compute/path-table.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';
import type { WalkedEntry } from '../../main/adapters/files/walk.ts';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import type { Warning } from '../../main/contract/reports.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Noted {
  readonly path: string;
  readonly size: number;
  readonly linkOf?: string;
  readonly racy?: boolean;
  /** What the extents point at. */
  readonly content: string;
}

/** What the reader made of the entries: the first frames are looked into as the sealer would. */
function read(
  folder: string,
  work: (add: (name: string, before?: () => void) => void) => void,
): { notes: Noted[]; warnings: readonly Warning[]; zip: Buffer; remembered: number } {
  const ring = new FrameRing(createFrameRingMemory({ slots: 4, partSizes: [1024] }));
  const frames = new FrameWriter(ring);
  const volumeSize = 2 ** 30;
  const volumes = new VolumeWriter(frames, new ZipDirectory(openSpool().handle), volumeLimits('archive', volumeSize));
  const firstNames = new FirstNames(new PathTable(openSpool().handle));
  const reader = new EntryReader({
    ring,
    frames,
    volumes,
    firstNames,
    format: 'archive',
    volumeSize,
    clockOffset: 3_600_000,
    base: null,
    contents: null,
  });
  work((name, before) => {
    const file = join(folder, name);
    // What the walk saw; `before` is what happens until the reader comes to it.
    const stat = lstatSync(file, { bigint: true });
    const walked: WalkedEntry = { path: pathFromText(name), kind: kindOf(stat), stat, file };
    before?.();
    reader.add(walked);
  });
  volumes.endVolume();
  const notes: Noted[] = [];
  const contents: Buffer[] = [];
  for (let slot = 0; slot < ring.slots && ring.state(slot) === slotState.filled; slot += 1) {
    contents.push(Buffer.from(ring.content(slot).subarray(0, ring.sizes(slot).content)));
    for (const { text, stretches } of readNotes(ring.notes(slot), ring.sizes(slot).notes)) {
      const parts = stretches.map(([, frame, , offset, length]) => ring.content(frame).toString('latin1', offset, offset + length));
      const entry = JSON.parse(`${Buffer.from(text).toString('utf8')}}`) as Omit<Noted, 'content'>;
      notes.push({ ...entry, content: parts.join('') });
    }
  }
  return { notes, warnings: reader.warnings.list, zip: Buffer.concat(contents), remembered: firstNames.size };
}

function kindOf(stat: BigIntStats): WalkedEntry['kind'] {
  if (stat.isDirectory()) return 'directory';
  return stat.isFile() ? 'file' : 'symlink';
}

describe('an entry that changes between the walk and its reading', () => {
  const cases: readonly (readonly [string, string, (file: string) => void])[] = [
    ['vanished', 'a file that is gone', (file) => rmSync(file)],
    [
      'changed',
      'a pipe in its place, which must hold nobody up',
      (file) => {
        rmSync(file);
        execFileSync('mkfifo', [file]);
      },
    ],
    [
      'changed',
      'a link in its place, which must not be followed',
      (file) => {
        rmSync(file);
        symlinkSync('/etc/hostname', file);
      },
    ],
    [
      'changed',
      'a folder in its place',
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
    [
      'changed',
      'a device in its place',
      (file) => {
        rmSync(file);
        symlinkSync('/dev/zero', file);
      },
    ],
  ];
  it.each(cases)('%s: %s', (code, _what, change) => {
    const folder = tempFolder();
    for (const name of ['before', 'victim', 'victim after']) writeFileSync(join(folder, name), `content of ${name}`);
    const { notes, warnings } = read(folder, (add) => {
      add('before');
      add('victim', () => change(join(folder, 'victim')));
      add('victim after');
    });
    expect(notes.map(({ path, content }) => [path, content])).toEqual([
      ['before', 'content of before'],
      ['victim after', 'content of victim after'],
    ]);
    expect(warnings).toMatchObject([{ code, path: 'victim' }]);
  });

  it('a file that became longer is read as it is', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'victim'), 'short');
    const { notes, warnings } = read(folder, (add) => add('victim', () => appendFileSync(join(folder, 'victim'), ' and more')));
    expect(notes).toMatchObject([{ path: 'victim', size: 14, content: 'short and more' }]);
    expect(warnings).toEqual([]);
  });

  it('a name of a hard-linked file that another file took never lends its content to the other names', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'a'), 'of the three names');
    linkSync(join(folder, 'a'), join(folder, 'b'));
    linkSync(join(folder, 'a'), join(folder, 'c'));
    writeFileSync(join(folder, 'new'), 'something else');
    const { notes } = read(folder, (add) => {
      add('a', () => renameSync(join(folder, 'new'), join(folder, 'a')));
      add('b');
      add('c');
    });
    expect(notes.map(({ path, content, linkOf }) => [path, content, linkOf])).toEqual([
      ['a', 'something else', undefined],
      ['b', 'of the three names', undefined],
      ['c', '', 'b'],
    ]);
  });

  it('a first name that cannot be read leaves the content to the next one', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'a'), 'content');
    linkSync(join(folder, 'a'), join(folder, 'b'));
    const { notes, warnings } = read(folder, (add) => {
      add('a', () => rmSync(join(folder, 'a')));
      add('b');
    });
    expect(notes).toMatchObject([{ path: 'b', content: 'content' }]);
    expect(warnings).toMatchObject([{ code: 'vanished' }]);
  });

  it('a link that is gone is told of', () => {
    const folder = tempFolder();
    symlinkSync('x', join(folder, 'link'));
    const { notes, warnings } = read(folder, (add) => add('link', () => rmSync(join(folder, 'link'))));
    expect({ notes, codes: warnings.map(({ code }) => code) }).toEqual({ notes: [], codes: ['vanished'] });
  });
});

describe('a further name of a file', () => {
  it('is a link in the ZIP that leads to where the content lies there, also past our own reserved folder', () => {
    const folder = tempFolder();
    mkdirSync(join(folder, '.holdfast', 'inner'), { recursive: true });
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, '.holdfast', 'first'), 'content');
    const names = ['.holdfast/inner/second', 'a/third', 'fourth'];
    for (const name of names) linkSync(join(folder, '.holdfast', 'first'), join(folder, name));
    const { notes, zip } = read(folder, (add) => {
      for (const name of ['.holdfast/first', ...names]) add(name);
    });
    expect(notes.map(({ linkOf }) => linkOf)).toEqual([undefined, '.holdfast/first', '.holdfast/first', '.holdfast/first']);
    const file = join(folder, 'content.zip');
    writeFileSync(file, zip);
    execFileSync('unzip', ['-q', file, '-d', join(folder, 'by hand')]);
    for (const name of ['.holdfast/files/.holdfast/inner/second', 'a/third', 'fourth']) {
      expect(readFileSync(join(folder, 'by hand', name), 'utf8')).toBe('content');
    }
  });
});

describe('the first name of a file', () => {
  it('is forgotten once all of its names have been met, and kept while one is to come', () => {
    const folder = tempFolder();
    for (const file of ['a', 'b']) {
      writeFileSync(join(folder, file), file);
      for (const more of ['1', '2']) linkSync(join(folder, file), join(folder, file + more));
    }
    const names = ['a', 'a1', 'a2', 'b', 'b1', 'b2'];
    const reading = (upTo: number): ReturnType<typeof read> =>
      read(folder, (add) => {
        for (const name of names.slice(0, upTo)) add(name);
      });
    expect(names.map((_, index) => reading(index + 1).remembered)).toEqual([1, 1, 0, 1, 1, 0]);
    expect(reading(6).notes.map(({ path, linkOf }) => [path, linkOf])).toEqual([
      ['a', undefined],
      ['a1', 'a'],
      ['a2', 'a'],
      ['b', undefined],
      ['b1', 'b'],
      ['b2', 'b'],
    ]);
  });
});

describe('racy', () => {
  it('is whatever was touched less than a minute before it was read, or later than that: file, folder or link', () => {
    const folder = tempFolder();
    for (const when of ['settled', 'future']) {
      writeFileSync(join(folder, `${when} file`), 'x');
      mkdirSync(join(folder, `${when} folder`));
      symlinkSync('x', join(folder, `${when} link`));
    }
    for (const kind of ['file', 'folder', 'link']) execFileSync('touch', ['-h', '-d', '2100-01-01', join(folder, `future ${kind}`)]);
    // The reader's clock is an hour ahead: what was made just now is an hour old.
    const { notes } = read(folder, (add) => {
      for (const kind of ['file', 'folder', 'link']) {
        add(`settled ${kind}`);
        add(`future ${kind}`);
      }
    });
    expect(notes.map(({ path, racy }) => [path, racy])).toEqual([
      ['settled file', undefined],
      ['future file', true],
      ['settled folder', undefined],
      ['future folder', true],
      ['settled link', undefined],
      ['future link', true],
    ]);
  });
});
