import {
  appendFileSync,
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../main/adapters/compute/scan/scanner.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import type { BackupRequest } from '../../main/contract/reports.ts';
import { contents, holding, newStateDir, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { isRoot } from '../support/run-holdfast.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { TreeMaker } from '../support/trees.ts';

const hour = 3_600_000;

/** An engine to whose threads everything that exists now is an hour old. */
function anHourLater(backend = memoryBackend()): World {
  return world({
    backend,
    stateDir: newStateDir(),
    host: { packer: threadPacker({ clockOffset: hour }), scan: threadScan({ clockOffset: hour }) },
  });
}

function newSource(): string {
  const source = tempFolder();
  const tree = new TreeMaker(source, 3);
  tree.folder('world/empty');
  tree.file('world/level', 100_000);
  tree.file('world/\xff', 10);
  tree.file('nothing', 0);
  tree.hardLink('world/level again', 'world/level');
  tree.link('link', 'world/level');
  tree.file('readme', 20);
  return source;
}

describe('a second run', () => {
  it('right after the first writes once more, for a change in the same moment would not show; then no more', async () => {
    const source = newSource();
    const backend = memoryBackend();
    const now = world({ backend });
    expect(await now.backup(source)).toMatchObject({ outcome: 'written' });
    expect(await now.backup(source)).toMatchObject({ outcome: 'written' });
    const later = anHourLater(backend);
    // The last one was written while the files were young.
    const third = await later.backup(source);
    expect(third).toMatchObject({ outcome: 'written' });
    const before = await contents(backend);
    expect(await later.backup(source)).toMatchObject({ outcome: 'unchanged', id: third.id, archives: [] });
    expect([...(await contents(backend)).keys()]).toEqual([...before.keys()]);
    expect(await later.backup(source, { force: true })).toMatchObject({ outcome: 'written' });
  });

  it.each(['readme', 'world/empty', 'link'])('never rests on what is from the future: %s', async (name) => {
    const source = newSource();
    lutimesSync(join(source, name), 4_000_000_000, 4_000_000_000);
    const later = anHourLater();
    for (let run = 0; run < 3; run += 1) expect(await later.backup(source)).toMatchObject({ outcome: 'written' });
  });

  it('writes when the last snapshot has lost an archive, or its manifest is damaged', async () => {
    const source = newSource();
    const first = anHourLater();
    await first.backup(source);
    expect(await first.backup(source)).toMatchObject({ outcome: 'unchanged' });
    const whole = await contents(first.backend);
    for (const harm of ['gone', 'short', 'manifest'] as const) {
      const objects = new Map([...whole].map(([key, bytes]) => [key, Buffer.from(bytes)]));
      const archive = [...objects.keys()].find((key) => key.endsWith('.holdfast')) ?? '';
      const manifest = [...objects.keys()].find((key) => key.endsWith('.manifest')) ?? '';
      if (harm === 'gone') objects.delete(archive);
      else if (harm === 'short') objects.set(archive, (objects.get(archive) ?? Buffer.alloc(0)).subarray(0, -1));
      else
        objects.set(
          manifest,
          Buffer.from((objects.get(manifest) ?? Buffer.alloc(0)).map((byte, index) => (index === 400 ? byte ^ 1 : byte))),
        );
      expect(await anHourLater(await holding(objects)).backup(source), harm).toMatchObject({ outcome: 'written' });
    }
  });
});

type At = (name: string) => string;

const changes: readonly (readonly [string, (at: At) => void])[] = [
  [
    'content, in the same length, with its time put back',
    (at) => {
      const { length } = readFileSync(at('readme'));
      writeFileSync(at('readme'), 'x'.repeat(length));
      utimesSync(at('readme'), 1_700_000_000, 1_700_000_000);
    },
  ],
  ['length', (at) => appendFileSync(at('readme'), 'x')],
  ['permissions of a file', (at) => chmodSync(at('readme'), 0o600)],
  ['permissions of a folder', (at) => chmodSync(at('world/empty'), 0o700)],
  ['time of a file', (at) => utimesSync(at('readme'), 1_700_000_000, 1_700_000_001)],
  ['time of a folder', (at) => utimesSync(at('world/empty'), 1_700_000_000, 1_700_000_001)],
  ['name of a file', (at) => renameSync(at('readme'), at('read me'))],
  ['name of the last one in the walk', (at) => renameSync(at('world/level again'), at('world/zz'))],
  [
    'a file for another of the same length and time',
    (at) => {
      writeFileSync(at('new'), readFileSync(at('readme')));
      utimesSync(at('new'), 1_700_000_000, 1_700_000_000);
      renameSync(at('new'), at('readme'));
    },
  ],
  ['a new file', (at) => writeFileSync(at('zzz'), '')],
  ['a new folder', (at) => mkdirSync(at('world/empty/one'))],
  ['a new further name', (at) => linkSync(at('readme'), at('readme again'))],
  ['a file that is gone', (at) => rmSync(at('nothing'))],
  ['a folder that is gone', (at) => rmdirSync(at('world/empty'))],
  ['a further name that is gone', (at) => rmSync(at('world/level again'))],
  [
    'the target of a link',
    (at) => {
      rmSync(at('link'));
      symlinkSync('world/LEVEL', at('link'));
    },
  ],
  [
    'a file that became a folder',
    (at) => {
      rmSync(at('nothing'));
      mkdirSync(at('nothing'));
    },
  ],
  ...(isRoot
    ? ([
        ['the owner of a file', (at: At) => chownSync(at('readme'), 1, 0)],
        ['the group of a link', (at: At) => lchownSync(at('link'), 0, 1)],
      ] as const)
    : []),
];

describe('a change of', () => {
  it.each(changes)('%s is seen', async (_what, change) => {
    const source = newSource();
    utimesSync(join(source, 'readme'), 1_700_000_000, 1_700_000_000);
    const later = anHourLater();
    const { id } = await later.backup(source);
    expect(await later.backup(source)).toMatchObject({ outcome: 'unchanged', id });
    change((name) => join(source, name));
    expect(await later.backup(source)).toMatchObject({ outcome: 'written' });
    expect(await later.backup(source)).toMatchObject({ outcome: 'unchanged' });
  });

  const rules: readonly (readonly [string, Partial<BackupRequest>])[] = [
    ['the excludes, although they leave nothing else out', { excludes: ['no-such'] }],
    ['the preset', { preset: 'steam' }],
  ];
  it.each(rules)('%s is seen', async (_what, request) => {
    const source = newSource();
    const later = anHourLater();
    await later.backup(source);
    expect(await later.backup(source)).toMatchObject({ outcome: 'unchanged' });
    expect(await later.backup(source, request)).toMatchObject({ outcome: 'written' });
    expect(await later.backup(source, request)).toMatchObject({ outcome: 'unchanged' });
  });

  it('what is excluded is no change', async () => {
    const source = newSource();
    mkdirSync(join(source, 'logs'));
    const later = anHourLater();
    const request = { excludes: ['/logs/**', '*.tmp'] };
    await later.backup(source, request);
    writeFileSync(join(source, 'logs', 'latest'), 'x');
    utimesSync(join(source, 'logs'), 1_700_000_000, 1_700_000_000);
    // The folder itself is kept, and its stamps have moved.
    expect(await later.backup(source, request)).toMatchObject({ outcome: 'written' });
    appendFileSync(join(source, 'logs', 'latest'), 'more');
    expect(await later.backup(source, request)).toMatchObject({ outcome: 'unchanged' });
  });
});

describe('a second classic run', () => {
  const classic = { format: 'classic' } as const;

  it('that finds nothing changed writes nothing, unless it is forced to', async () => {
    const source = newSource();
    const later = anHourLater();
    const first = await later.backup(source, classic);
    expect(first).toMatchObject({ outcome: 'written', warnings: [] });
    const before = await contents(later.backend);
    expect(await later.backup(source, classic)).toMatchObject({
      outcome: 'unchanged',
      id: first.id,
      files: first.files,
      bytes: first.bytes,
    });
    expect([...(await contents(later.backend)).keys()]).toEqual([...before.keys()]);
    expect(await later.backup(source, { ...classic, force: true })).toMatchObject({ outcome: 'written' });
  });

  it('writes after any change, by other rules, and while files are young', async () => {
    const source = newSource();
    const later = anHourLater();
    await later.backup(source, classic);
    appendFileSync(join(source, 'readme'), 'x');
    expect(await later.backup(source, classic)).toMatchObject({ outcome: 'written' });
    expect(await later.backup(source, { ...classic, excludes: ['nothing'] })).toMatchObject({ outcome: 'written' });
    expect(await later.backup(source)).toMatchObject({ outcome: 'written' });
    const now = world();
    await now.backup(source, classic);
    expect(await now.backup(source, classic)).toMatchObject({ outcome: 'written' });
  });

  it('writes when this computer has forgotten, remembers what is no memory, or the destination has lost what it remembers', async () => {
    const source = newSource();
    const stateDir = newStateDir();
    const host = { packer: threadPacker({ clockOffset: hour }), scan: threadScan({ clockOffset: hour }) };
    const one = world({ stateDir, host });
    await one.backup(source, classic);
    expect(await one.backup(source, classic)).toMatchObject({ outcome: 'unchanged' });
    const folder = join(stateDir, 'memory');
    const [name = ''] = readdirSync(folder);
    const whole = readFileSync(join(folder, name));
    for (const broken of [null, Buffer.alloc(0), Buffer.from('no zstd'), whole.subarray(0, whole.length >> 1)]) {
      if (broken === null) rmSync(join(folder, name));
      else writeFileSync(join(folder, name), broken);
      expect([broken?.length, (await one.backup(source, classic)).outcome]).toEqual([broken?.length, 'written']);
      expect(await one.backup(source, classic)).toMatchObject({ outcome: 'unchanged' });
    }
    for (const ending of ['.zip.zst.enc', '.zip.zst.enc.sha256']) {
      const { id } = await one.backup(source, classic);
      await one.backend.remove(`survival/${id}${ending}`);
      expect(await one.backup(source, classic)).toMatchObject({ outcome: 'written' });
    }
  });
});
