import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import type { Call } from '../../main/engine/storage/layers/around.ts';
import { keysOf, newStateDir } from '../support/engine-on-memory.ts';
import { anHourLater, expectSame } from '../support/incremental.ts';
import { mortal } from '../support/mortal.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * A run that is cut off, whatever by, and the next one: what was finished is not sent again.
 */

const timeout = 600_000;
const mib = 2 ** 20;
const volumeSize = mib;
const files = 12;
const fileSize = 500_000;
/** Nothing of it can be compressed. */
const dataSize = files * fileSize;
/** An entry that begins before the volume is full, and what is around it: seal, ZIP, seek table. */
const oneVolume = volumeSize + fileSize + 64 * 1024;
const stateDir = newStateDir();
let source = '';

beforeEach(() => {
  source = tempFolder();
  for (let file = 0; file < files; file += 1) writeFileSync(join(source, `f${String(file).padStart(2, '0')}`), randomBytes(fileSize));
});

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
