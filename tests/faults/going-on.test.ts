import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';
import type { OpenDestination } from '../../main/engine/engine.ts';
import type { EngineHost } from '../../main/engine/host.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { around, type Call } from '../../main/engine/storage/layers/around.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped, manifestLines } from '../support/damage.ts';
import {
  backupRequest,
  keysOf,
  movableClock,
  newStateDir,
  pruneRequest,
  put,
  type World,
  type WorldOptions,
} from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf, expectSame, hour } from '../support/incremental.ts';
import { mortal } from '../support/mortal.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * A run that is cut off, whatever by, and the next one: what was finished is not sent again.
 */

const timeout = 600_000;
const mib = 2 ** 20;
const volumeSize = mib;
const files = 12;
/** Three are a volume. */
const fileSize = 350_000;
/** Nothing of it can be compressed. */
const dataSize = files * fileSize;
/** The last entry makes it a tenth longer at most; and what is around it: seal, ZIP, seek table. */
const oneVolume = 1.1 * volumeSize + 64 * 1024;
const stateDir = newStateDir();
let source = '';

beforeEach(() => {
  source = tempFolder();
  fill(0, fileSize);
});

function fill(from: number, size: number): void {
  for (let file = from; file < files; file += 1) writeFileSync(join(source, `f${String(file).padStart(2, '0')}`), randomBytes(size));
}

type Dies = (call: Call, when: 'before' | 'after') => boolean;

/** A run that ends where `dies` says. Bytes that it sent. */
async function cutOff(backend: Backend, dies: Dies, folder = source): Promise<number> {
  const { backend: on, isDead, sentBytes } = mortal(backend, dies);
  await expect(anHourLater({ backend: on, stateDir }).backup(folder, { volumeSize })).rejects.toBeInstanceOf(Fault);
  expect(isDead()).toBe(true);
  return sentBytes();
}

/** A run that comes to its end. Bytes that it sent. */
async function wholeRun(backend: Backend, folder = source): Promise<number> {
  const { backend: on, sentBytes } = mortal(backend, () => false);
  expect(await anHourLater({ backend: on, stateDir }).backup(folder, { volumeSize })).toMatchObject({ outcome: 'written', warnings: [] });
  return sentBytes();
}

const partialsOf = async (backend: Backend): Promise<readonly string[]> =>
  (await keysOf(backend)).filter((key) => key.endsWith('.partial'));

describe('a run that is cut off at a volume', () => {
  const ending = (end: string, volume: number): string => (volume === 0 ? end : `.${String(volume + 1).padStart(3, '0')}${end}`);
  const moments: readonly (readonly [string, (volume: number) => Dies])[] = [
    [
      'while it is sent',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'writePart' && when === 'after' && isOf(target, ending('.holdfast', volume)),
    ],
    [
      'before it is an object',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'complete' && when === 'before' && isOf(target, ending('.holdfast', volume)),
    ],
    [
      'when it is one and not written down',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'complete' && when === 'after' && isOf(target, ending('.holdfast', volume)),
    ],
    [
      'when it is written down',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'complete' && when === 'after' && isOf(target, ending('.partial', volume)),
    ],
  ];
  const isOf = (key: string, end: string): boolean => new RegExp(`Z-[a-z0-9]{6}${end.replaceAll('.', '\\.')}$`).test(key);

  test.each(moments)('%s: the next one sends the rest, whichever volume it was', { timeout }, async (_, at) => {
    for (let volume = 0; volume < 3; volume += 1) {
      const backend = memoryBackend();
      const first = await cutOff(backend, at(volume));
      const second = await wholeRun(backend);
      expect([volume, first + second <= 1.1 * dataSize + oneVolume, first, second]).toEqual([volume, true, first, second]);
      expect([volume, await partialsOf(backend)]).toEqual([volume, []]);
      if (volume % 2 === 1) await expectSame(anHourLater({ backend, stateDir }), source);
    }
  });
});

test('of a run with many volumes only some temporary files are open at once', { timeout }, async () => {
  const backend = memoryBackend();
  for (let file = 0; file < files; file += 1) writeFileSync(join(source, `s${file}`), randomBytes(40_000));
  const dying = mortal(backend, ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.024.holdfast'));
  const tiny = { volumeSize: 32 * 1024 };
  await expect(anHourLater({ backend: dying.backend, stateDir }).backup(source, tiny)).rejects.toBeInstanceOf(Fault);
  expect(await partialsOf(backend)).toHaveLength(23);
  let [open, most] = [0, 0];
  const openCounted: EngineHost['openSpool'] = (needs) => {
    const spool = openSpool(undefined, needs);
    const dispose = spool.dispose.bind(spool);
    let counts = 1;
    open += 1;
    most = Math.max(most, open);
    return Object.assign(spool, {
      dispose: async () => {
        open -= counts;
        counts = 0;
        await dispose();
      },
    });
  };
  const one = anHourLater({ backend, stateDir, host: { openSpool: openCounted } });
  expect((await one.backup(source, tiny)).kept.files).toBe(23);
  expect([open, most < 8, most]).toEqual([0, true, most]);
  await expectSame(one, source);
});

test('what an unfinished run has stored is told of, and is no snapshot', { timeout }, async () => {
  const backend = memoryBackend();
  await cutOff(backend, ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.002.partial'));
  const one = anHourLater({ backend, stateDir });
  const rows = await one.engine.snapshots(one.destination, {}, {});
  expect(rows).toMatchObject([{ complete: false, problem: 'the run did not end: the next one goes on with its 2 finished volumes' }]);
  await expect(one.verify()).rejects.toMatchObject({ code: 'not-found' });
  await expect(one.restore(join(tempFolder(), 'back'))).rejects.toMatchObject({ code: 'not-found' });
  const { servers } = await one.engine.usage(one.destination, {}, {});
  expect(servers).toMatchObject([{ snapshots: [], liveBytes: 0, unnamedBytes: 0 }]);
  expect(servers[0]?.unfinishedBytes).toBe(servers[0]?.storedBytes);
  // A whole snapshot, though it rests on what another run has sent: nobody else has that.
  await wholeRun(backend);
  const after = await one.engine.snapshots(one.destination, {}, {});
  expect(after).toMatchObject([{ complete: true }]);
  expect(await one.backup(source, { whole: 'always' })).toMatchObject({ outcome: 'unchanged' });
});

test('a volume that was gone on with is read whole and compared, as the run’s own are', { timeout }, async () => {
  const size = 500_000;
  fill(0, size);
  const backend = memoryBackend();
  const one = anHourLater({ backend, stateDir });
  const { backend: on } = mortal(
    backend,
    ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.partial'),
  );
  const request = { volumeSize: 5 * mib };
  await expect(anHourLater({ backend: on, stateDir }).backup(source, request)).rejects.toBeInstanceOf(Fault);
  const [key = ''] = await archivesOf(one);
  // Of its two frames the second one is used no more.
  fill(7, size);
  await one.backup(source, request);
  const back = (): string => join(tempFolder(), 'back');
  expect((await one.restore(back())).warnings).toEqual([]);

  const bytes = Buffer.from(await readBytes(backend, key, { limit: 2 ** 30 }));
  await put(backend, key, flipped(bytes, Math.floor(0.9 * bytes.length)));
  await expect(one.restore(back())).rejects.toMatchObject({ code: 'corrupt', context: { object: key } });

  await put(backend, key, bytes);
  await backend.remove(`${key}.sha256`);
  expect((await one.restore(back())).warnings).toMatchObject([{ code: 'checksum' }]);
});

describe('a file that goes on over several volumes', () => {
  const size = 12 * mib + 12_345;
  const large = (): string => join(source, 'world.db');

  /** Volumes: the whole of one file, which a run is cut off in. */
  beforeEach(() => {
    source = tempFolder();
    writeFileSync(large(), randomBytes(size));
  });

  const after =
    (ending: string): Dies =>
    ({ verb, target }, when) =>
      verb === 'complete' && when === 'after' && target.endsWith(ending);

  test('is gone on with where the run was cut off in it, again and again', { timeout }, async () => {
    const backend = memoryBackend();
    const sent: number[] = [];
    // The second and third run are cut off after one and two volumes of their own.
    for (const ending of ['.003.partial', '.partial', '.002.partial', '.holdfast.sha256']) sent.push(await cutOff(backend, after(ending)));
    sent.push(await wholeRun(backend));
    const all = sent.reduce((sum, bytes) => sum + bytes, 0);
    expect([all <= 1.1 * size + volumeSize + 64 * 1024, sent]).toEqual([true, sent]);
    const one = anHourLater({ backend, stateDir });
    await expectSame(one, source);
    expect(await partialsOf(backend)).toEqual([]);
    expect((await one.engine.snapshots(one.destination, {}, {})).at(-1)?.complete).toBe(true);
  });

  test(
    'has changed since: what is the same is taken, what is not is sent, and the snapshot is the file as it is now',
    { timeout },
    async () => {
      const backend = memoryBackend();
      await cutOff(backend, after('.006.partial'));
      const bytes = readFileSync(large());
      // A piece that was stored, the one in which the run ended, and the end.
      for (const at of [2.5, 5.5, 11.5]) randomBytes(100).copy(bytes, at * mib);
      writeFileSync(large(), Buffer.concat([bytes, Buffer.from('and more')]));
      const sent = await wholeRun(backend);
      expect([sent > 6 * mib, sent < 8.5 * mib, sent]).toEqual([true, true, sent]);
      await expectSame(anHourLater({ backend, stateDir }), source);
    },
  );

  test('loses a volume in between: that is sent again, and what lies before and behind it is taken', { timeout }, async () => {
    const backend = memoryBackend();
    await cutOff(backend, after('.006.partial'));
    await backend.remove((await keysOf(backend)).find((key) => key.endsWith('.003.holdfast')) ?? '');
    const sent = await wholeRun(backend);
    expect([sent > 7 * mib, sent < 7.5 * mib, sent]).toEqual([true, true, sent]);
    await expectSame(anHourLater({ backend, stateDir }), source);
  });

  test('was stored before and is changed in place: pieces come from three runs', { timeout }, async () => {
    const backend = memoryBackend();
    await wholeRun(backend);
    const bytes = readFileSync(large());
    for (const at of [0, 2, 4, 6, 8, 10]) randomBytes(mib).copy(bytes, at * mib);
    writeFileSync(large(), bytes);
    const first = await cutOff(backend, after('.003.partial'));
    const second = await wholeRun(backend);
    expect([first < 4.1 * mib, second < 3.2 * mib, first, second]).toEqual([true, true, first, second]);
    const one = anHourLater({ backend, stateDir });
    await expectSame(one, source);
    await one.prune({ policy: { last: 1 } });
    await expectSame(one, source);
  });
});

describe('what was written down', () => {
  const second: Dies = ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.002.partial');
  const clock = movableClock();
  let backend = memoryBackend();
  beforeEach(() => {
    clock.offset = 0;
    backend = memoryBackend({ clock });
  });
  const worldOf = (options: WorldOptions = {}): World => anHourLater({ backend, stateDir, clock, ...options });
  const isAll = (kept: { readonly files: number }): boolean => kept.files === 0;

  test.each([
    ['by another machine: every file is read, and nothing is sent again', { machine: 'machine-two' }, 6],
    ['under a vault key that was given up: it is passed over', { credentials: { kind: 'password', password: 'second' } }, 0],
  ] as readonly (readonly [string, WorldOptions, number])[])('%s', { timeout }, async (_, options, kept) => {
    await cutOff(backend, second);
    const one = worldOf();
    if (options.credentials !== undefined) await one.engine.changePassword(one.destination, { newPassword: 'second', newKey: true }, {});
    const two = worldOf({ ...options, stateDir: newStateDir() });
    expect((await two.backup(source, { volumeSize, takeOver: true })).kept.files).toBe(kept);
    await expectSame(two, source);
    expect(await partialsOf(backend)).toEqual([]);
  });

  test.each([
    ['damaged', (bytes: Buffer) => flipped(bytes, bytes.length - 30)],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -20)],
    ['empty', () => Buffer.alloc(0)],
    ['not ours', () => Buffer.from('somebody has put this here')],
  ] as readonly (readonly [string, (bytes: Buffer) => Buffer])[])('and is %s: the other volume serves', { timeout }, async (_, change) => {
    await cutOff(backend, second);
    const [key = ''] = await partialsOf(backend);
    await put(backend, key, change(Buffer.from(await readBytes(backend, key, { limit: mib }))));
    const one = worldOf();
    clock.offset = 3 * 24 * hour;
    expect((await one.prune()).objects.filter((name) => !name.endsWith('.partial'))).toEqual([]);
    expect((await one.backup(source, { volumeSize })).kept.files).toBe(3);
    await expectSame(one, source);
  });

  test('of an archive that is gone, or has another size: that one is sent again', { timeout }, async () => {
    for (const how of ['gone', 'cut short']) {
      backend = memoryBackend({ clock });
      await cutOff(backend, second);
      const key = (await keysOf(backend)).find((one) => one.endsWith('.002.holdfast')) ?? '';
      const bytes = await readBytes(backend, key, { limit: 2 ** 30 });
      await backend.remove(key);
      if (how === 'cut short') await put(backend, key, bytes.subarray(1));
      const { kept } = await worldOf().backup(source, { volumeSize });
      expect([how, kept.files]).toEqual([how, 3]);
      await expectSame(worldOf(), source);
    }
  });

  test('in a file in pieces, of all archives of which nothing is left: it is sent anew', { timeout }, async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'world.db'), randomBytes(9.5 * mib));
    for (const whole of [false, true]) {
      const place = memoryBackend();
      await cutOff(place, second, folder);
      for (const key of (await keysOf(place)).filter((one) => one.endsWith('.holdfast'))) await place.remove(key);
      const one = anHourLater({ backend: place, stateDir });
      expect((await one.backup(folder, { volumeSize, force: whole, whole: whole ? 'always' : 'never' })).kept).toEqual({
        files: 0,
        bytes: 0,
      });
      await expectSame(one, folder);
    }
  });

  test('before a file was changed, renamed or removed: the snapshot is the folder as it is now', { timeout }, async () => {
    await cutOff(backend, second);
    writeFileSync(join(source, 'f01'), randomBytes(fileSize));
    rmSync(join(source, 'f02'));
    renameSync(join(source, 'f03'), join(source, 'z'));
    const one = worldOf();
    // f00, f04 and f05 are as they were, and f03 is found under its new name.
    expect((await one.backup(source, { volumeSize })).kept.files).toBe(4);
    await expectSame(one, source);
  });

  test('serves a run of 13 days later', { timeout }, async () => {
    await cutOff(backend, second);
    clock.offset = 13 * 24 * hour;
    expect((await worldOf().backup(source, { volumeSize })).kept.files).toBe(6);
  });

  test('counts for 14 days, and no prune removes what it names; then it is swept with its archives', { timeout }, async () => {
    await cutOff(backend, second);
    const all = await keysOf(backend);
    clock.offset = 13 * 24 * hour;
    const one = worldOf();
    expect((await one.prune()).objects).toEqual([]);
    clock.offset = 15 * 24 * hour;
    // Read by nobody, and not by a run either.
    const { kept } = await one.backup(source, { volumeSize });
    expect(isAll(kept)).toBe(true);
    const { objects } = await one.prune();
    expect(objects.toSorted()).toEqual(all.filter((key) => key.startsWith('survival/') && !key.endsWith('.partial')));
    await expectSame(one, source);
  });

  test('and never used, is swept by a prune when it is 15 days old', { timeout }, async () => {
    await cutOff(backend, second);
    clock.offset = 15 * 24 * hour;
    await worldOf().prune();
    expect(await keysOf(backend)).toEqual(['holdfast.vault']);
  });

  test('keeps the archives of a snapshot that it names, though that snapshot goes', { timeout }, async () => {
    const large = join(source, 'zz');
    const bytes = randomBytes(9 * mib);
    writeFileSync(large, bytes);
    const one = worldOf();
    await one.backup(source, { volumeSize });
    writeFileSync(join(source, 'new'), 'new');
    const later = await one.backup(source, { volumeSize });
    for (const at of [0, 2, 4]) randomBytes(mib).copy(bytes, at * mib);
    writeFileSync(large, bytes);
    await cutOff(backend, second);
    const named = await archivesOf(one);
    rmSync(large);
    await one.engine.prune(one.destination, pruneRequest({ policy: { last: 1 } }), {});
    expect(await archivesOf(one)).toEqual(named);
    await expectRestoredTo(one, later.id, bytes);
  });

  async function expectRestoredTo(one: World, id: string, now: Buffer): Promise<void> {
    const target = join(tempFolder(), 'back');
    await one.restore(target, { snapshot: id });
    const former = readFileSync(join(target, 'zz'));
    expect([former.length, former.subarray(mib, 2 * mib).equals(now.subarray(mib, 2 * mib))]).toEqual([9 * mib, true]);
  }

  test('stays when its run is cancelled, and what was not finished goes', { timeout }, async () => {
    const stop = new AbortController();
    const on = around(backend, {
      async call(call, run) {
        const value = await run(call.signal);
        if (call.verb === 'writePart' && call.target.endsWith('.003.holdfast')) stop.abort();
        return value;
      },
      stream: (call, open) => open(call.signal),
    });
    const one = worldOf({ backend: on });
    const run = one.engine.backup(one.destination, backupRequest(source, { volumeSize }), { signal: stop.signal });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    const left = (await keysOf(backend)).map((key) => key.replace(/^.*Z-[a-z0-9]{6}/, ''));
    const ofVolume = (number: string): string[] => [`${number}.holdfast`, `${number}.holdfast.sha256`, `${number}.partial`];
    expect(left.toSorted()).toEqual(['holdfast.vault', ...ofVolume(''), ...ofVolume('.002')].toSorted());
    expect((await worldOf().backup(source, { volumeSize })).kept.files).toBe(6);
    await expectSame(worldOf(), source);
  });

  test('serves whole snapshots as well, and of what snapshots name those take nothing', { timeout }, async () => {
    const one = worldOf();
    await one.backup(source, { volumeSize });
    const first = await archivesOf(one);
    const { backend: on } = mortal(backend, second);
    await expect(worldOf({ backend: on }).backup(source, { volumeSize, whole: 'always', force: true })).rejects.toBeInstanceOf(Fault);
    const { id, kept } = await one.backup(source, { volumeSize, whole: 'always', force: true });
    expect(kept.files).toBe(6);
    const { header } = await manifestLines(one, await readBytes(backend, `survival/${id}.manifest`, { limit: mib }));
    expect(header.archives.map(({ key }) => key).filter((key) => first.includes(key))).toEqual([]);
    expect((await one.engine.snapshots(one.destination, {}, {})).at(-1)).toMatchObject({ id, sharedBytes: 0 });
    // Nothing has changed, and it is whole.
    expect(await one.backup(source, { whole: 'always' })).toMatchObject({ outcome: 'unchanged', id });
    await expectSame(one, source);
  });
});

test('of two places one fails: the other has its snapshot, and the first goes on with what it has', { timeout }, async () => {
  const [near, far] = [memoryBackend(), memoryBackend()];
  const { backend: failing } = mortal(
    far,
    ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.002.partial'),
  );
  const one = anHourLater({ backend: near, stateDir });
  const place = (backend: Backend, name: string): OpenDestination => ({
    ...one.destination,
    backend,
    settings: { provider: 'memory', place: name },
  });
  const request = backupRequest(source, { volumeSize });
  const first = await one.engine.backupToAll([place(near, 'near'), place(failing, 'far')], request, {});
  expect(first.map((outcome) => (outcome instanceof Fault ? outcome.code : outcome.kept.files))).toEqual([0, 'unavailable']);
  writeFileSync(join(source, 'new'), 'new');
  const second = await one.engine.backupToAll([place(near, 'near'), place(far, 'far')], request, {});
  expect(second.map((outcome) => (outcome instanceof Fault ? outcome.code : outcome.kept.files))).toEqual([files, 6]);
  for (const backend of [near, far]) {
    expect(await partialsOf(backend)).toEqual([]);
    await expectSame(anHourLater({ backend, stateDir }), source);
  }
});
