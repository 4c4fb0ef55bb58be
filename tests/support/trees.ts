import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { seededNumbers } from './seeded-random.ts';

/** What a frame of an archive holds at most when we write it (docs/format.md): files are made around this border. */
export const frameContent = 4 * 2 ** 20;
/** A local header without its name: 30 fixed bytes, UT (9), ux (15) and hf (8). */
export const localHeaderSize = 30 + 9 + 15 + 8;

export interface TreeShape {
  readonly seed: number;
  /** Files of exactly this size, one more, and multiples of it are made. */
  readonly volumeSize?: number;
  /** Length of the hole in the sparse files. */
  readonly hole?: number;
  /** Other owners, and set-id bits for them: only root may make these. */
  readonly asRoot?: boolean;
}

/** Makes files by byte names, so that no encoding is in the way. */
export class TreeMaker {
  readonly root: Buffer;
  readonly #next: () => number;
  readonly #noise: Buffer;

  constructor(root: string, seed: number) {
    this.root = Buffer.from(root);
    this.#next = seededNumbers(seed);
    this.#noise = Buffer.from(Uint8Array.from({ length: 2 ** 18 }, () => Math.floor(this.#next() * 256)));
  }

  /** `name`: one character for each byte. */
  at(name: string): Buffer {
    return Buffer.concat([this.root, Buffer.from('/'), Buffer.from(name, 'latin1')]);
  }

  /** Neither all zero nor compressible to nothing: half noise, half repeated text. */
  bytes(size: number): Buffer {
    const data = Buffer.alloc(size, `line ${Math.floor(this.#next() * 1e9)}\n`);
    for (let at = 0; at < size; at += 8192) {
      const from = Math.floor(this.#next() * (this.#noise.length - 4096));
      this.#noise.copy(data, at, from, from + 4096);
    }
    return data;
  }

  folder(name: string): void {
    mkdirSync(this.at(name), { recursive: true });
  }

  file(name: string, size: number): void {
    writeFileSync(this.at(name), this.bytes(size));
  }

  link(name: string, target: string): void {
    symlinkSync(Buffer.from(target, 'latin1'), this.at(name));
  }

  hardLink(name: string, first: string): void {
    linkSync(this.at(first), this.at(name));
  }

  /** Data, a hole, data, and a hole up to the end. */
  sparse(name: string, hole: number): void {
    const handle = openSync(this.at(name), 'w');
    writeSync(handle, this.bytes(5000), 0, 5000, 0);
    writeSync(handle, this.bytes(70_000), 0, 70_000, hole + 3);
    ftruncateSync(handle, hole + 3 + 70_000 + 1_000_001);
    closeSync(handle);
  }
}

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Names that have broken backup programs: each is one character for each byte. */
export const oddNames: readonly string[] = [
  '\xff\xe9 not utf-8',
  'half\xc3',
  '\x80',
  'new\nline',
  'tab\tand\rreturn',
  '\x01\x1b[31mcontrol\x7f',
  '   leading spaces',
  'trailing space ',
  ' ',
  'back\\slash',
  'C:colon',
  "single'quote",
  'double"quote',
  '`whoami`',
  '$(whoami)',
  '-rf',
  '--help',
  '...',
  '..twice',
  '~',
  '#hash',
  '!bang',
  '*',
  '?',
  '[a]',
  'con',
  'NUL.txt',
  'a@0000000000000000',
  utf8('😀 emoji.txt'),
  utf8('caf\u00e9 composed'),
  utf8('cafe\u0301 composed'),
  utf8('世界'),
  'n'.repeat(255),
  utf8('é'.repeat(127)) + 'x',
  '\xfe'.repeat(255),
];

/** Sizes at which something may be one byte off: chunks of 16 KiB, frames, headers that just fit, volumes. */
export function borderSizes(volumeSize: number, nameLength: number): readonly number[] {
  const fits = frameContent - localHeaderSize - nameLength;
  const around = (size: number): number[] => [size - 1, size, size + 1];
  return [
    0,
    1,
    ...around(4096),
    ...around(16_384),
    ...around(fits),
    ...around(frameContent),
    ...around(volumeSize),
    2 * volumeSize,
    2 * volumeSize + 7,
  ];
}

/** A folder with everything in it that a file system on Linux allows and a backup may trip over. The same for the same shape. */
export function buildOddTree(root: string, shape: TreeShape): void {
  const { seed, volumeSize = 6 * 2 ** 20, hole = 16 * 2 ** 20, asRoot = false } = shape;
  mkdirSync(root, { recursive: true });
  const tree = new TreeMaker(root, seed);
  const next = seededNumbers(seed * 7919 + 1);

  tree.folder('names/as folders');
  for (const name of oddNames) {
    tree.file(`names/${name}`, Math.floor(next() * 300));
    tree.folder(`names/as folders/${name}`);
    if (next() < 0.5) tree.file(`names/as folders/${name}/in it`, 10);
  }
  tree.folder('empty/er/est');
  tree.folder(Array.from({ length: 60 }, (_, depth) => `deep ${depth}`).join('/'));
  tree.file(`${Array.from({ length: 60 }, (_, depth) => `deep ${depth}`).join('/')}/at the bottom`, 77);

  tree.folder('sizes');
  // Names of one length, so that the same size always just fits.
  borderSizes(volumeSize, 'sizes/00'.length).forEach((size, index) => {
    const name = `sizes/${String(index).padStart(2, '0')}`;
    tree.file(name, size);
  });

  tree.folder('links');
  tree.file('links/plain', 12);
  tree.link('links/to file', 'plain');
  tree.link('links/dangling', 'no/such/thing');
  tree.link('links/absolute', '/etc/hostname');
  tree.link('links/to folder', '../empty');
  tree.link('links/loop', 'loop');
  tree.link('links/to itself from below', '..');
  tree.link('links/outside', '../../../../../../../../../../tmp');
  tree.link('links/not utf-8', '\xff\xe9/\n');
  tree.link('links/long', 'x'.repeat(4000));
  tree.link('links/a@', '.holdfast');

  tree.folder('hard/inner');
  tree.file('hard/b first in order', 5000);
  tree.hardLink('hard/c second', 'hard/b first in order');
  tree.hardLink('hard/inner/third', 'hard/b first in order');
  tree.hardLink('across', 'hard/b first in order');
  tree.file('hard/large', volumeSize + 100);
  tree.hardLink('hard/inner/large too', 'hard/large');
  tree.file('hard/empty', 0);
  tree.hardLink('hard/inner/empty too', 'hard/empty');
  tree.hardLink('hard/inner/\xffempty three', 'hard/empty');

  tree.folder('sparse');
  tree.sparse('sparse/small', 100_000);
  tree.sparse('sparse/large', hole);
  tree.hardLink('sparse/large too', 'sparse/large');

  tree.folder('special');
  execFileSync('mkfifo', [`${root}/special/pipe`]);
  // The null device, under another name.
  if (asRoot) execFileSync('mknod', [`${root}/special/device`, 'c', '1', '3']);
  execFileSync('/usr/bin/python3', [
    '-c',
    'import os,socket,sys; os.chdir(sys.argv[1]); socket.socket(socket.AF_UNIX).bind("socket")',
    `${root}/special`,
  ]);

  // What our own reserved root in the ZIP must not be mixed up with.
  tree.folder('.holdfast/pieces');
  tree.folder('.holdfast/files/.holdfast');
  tree.file('.holdfast/pieces/x@0000000000000000', 33);
  tree.file('.holdfast/files/.holdfast/pieces', 34);
  tree.file('.holdfast/large', volumeSize + 1);
  tree.hardLink('.holdfast/linked', 'hard/b first in order');
  tree.hardLink('zz linked', '.holdfast/pieces/x@0000000000000000');

  tree.folder('modes');
  for (const mode of [0o000, 0o400, 0o644, 0o755, 0o4755, 0o2755, 0o1644, 0o7777]) {
    const name = `modes/file ${mode.toString(8)}`;
    tree.file(name, 20);
    tree.folder(`modes/folder ${mode.toString(8)}`);
    tree.file(`modes/folder ${mode.toString(8)}/inside`, 20);
    if (asRoot && (mode & 0o6000) !== 0) chownSync(tree.at(name), 1234, 5678);
    // Without root a file that its owner may not read cannot be backed up, nor a folder that may not be entered: other tests' matter.
    if (asRoot || (mode & 0o400) !== 0) chmodSync(tree.at(name), mode);
    if (asRoot || (mode & 0o500) === 0o500) chmodSync(tree.at(`modes/folder ${mode.toString(8)}`), mode);
  }
  tree.folder('modes/read only');
  tree.file('modes/read only/file', 5);
  tree.file('modes/read only/empty', 0);
  tree.link('modes/read only/link', 'file');
  tree.hardLink('modes/read only/hard', 'modes/read only/file');
  chmodSync(tree.at('modes/read only'), 0o500);
  if (asRoot) {
    tree.folder('owners');
    tree.file('owners/max', 1);
    chownSync(tree.at('owners/max'), 4_294_967_294, 4_294_967_294);
    tree.link('owners/link', 'max');
    lchownSync(tree.at('owners/link'), 65_534, 100);
    chownSync(tree.at('owners'), 1, 2);
  }

  tree.folder('times');
  const times = [
    '1970-01-01 00:00:00.000000001Z',
    '1969-12-31 23:59:59.999999999Z',
    '1903-05-06 01:02:03.123456789Z',
    '2038-01-19 03:14:08.000000001Z',
  ];
  times.push(
    '2107-12-31 23:59:59.987654321Z',
    '2300-02-03 04:05:06.777777777Z',
    '1999-12-31 23:59:60.000000000Z',
    '2026-11-23 22:05:00.123456789Z',
  );
  times.forEach((time, index) => {
    tree.file(`times/file ${index}`, 9);
    tree.file(`times/large ${index}`, index === 2 ? frameContent + 9 : 9);
    tree.folder(`times/folder ${index}`);
    tree.link(`times/link ${index}`, 'nowhere');
    for (const kind of ['file', 'large', 'folder', 'link']) touch(`${root}/times/${kind} ${index}`, time);
  });
  touch(`${root}/times`, '2001-02-03 04:05:06.000000007Z');
  touch(`${root}/modes/read only`, '2001-02-03 04:05:06.700000001Z');
}

function touch(path: string, time: string): void {
  execFileSync('touch', ['-h', '-d', time.replace(':60.', ':59.'), path]);
}

/** A path too long to be named in one go (PATH_MAX is 4096), with a file at its end. Returns the folders' names. */
export function buildEndlessPath(root: string, levels: number): readonly string[] {
  const name = 'd'.repeat(200);
  let handle = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (let level = 0; level < levels; level += 1) {
    mkdirSync(`/proc/self/fd/${handle}/${name}`);
    const next = openSync(`/proc/self/fd/${handle}/${name}`, constants.O_RDONLY | constants.O_DIRECTORY);
    closeSync(handle);
    handle = next;
  }
  writeFileSync(`/proc/self/fd/${handle}/bottom`, 'as deep as it gets');
  symlinkSync('bottom', `/proc/self/fd/${handle}/link`);
  linkSync(`/proc/self/fd/${handle}/bottom`, `/proc/self/fd/${handle}/second`);
  closeSync(handle);
  return Array.from({ length: levels }, () => name);
}
