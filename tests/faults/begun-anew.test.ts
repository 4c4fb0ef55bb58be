import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { around } from '../../main/engine/storage/layers/around.ts';
import { keysOf, newStateDir, type World } from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf, expectSame } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * A run finds in its end that an archive which it rests on is lost, and begins anew. By then it has finished volumes and written them down.
 */

const volumeSize = 2 ** 20;
const request = { volumeSize };
let backend: Backend;
let source = '';
/** What the run under test rests on. */
let first = '';

/** Two files are a volume. */
function addFiles(name: string, files: number): void {
  for (let file = 0; file < files; file += 1) writeFileSync(join(source, `${name}${file}`), randomBytes(volumeSize / 2));
}

beforeEach(async () => {
  backend = memoryBackend();
  source = tempFolder();
  addFiles('a', 1);
  const one = on('machine-one');
  await one.backup(source);
  [first = ''] = await archivesOf(one);
  addFiles('b', 6);
});

const on = (machine: string, where: Backend = backend): World => anHourLater({ backend: where, machine, stateDir: newStateDir() });

const lockedBy = (machine: string): object => ({
  code: 'locked',
  message: expect.stringContaining(`another machine (${machine})`) as string,
});

interface Watched {
  readonly backend: Backend;
  /** Bytes of archives that were sent since it struck. */
  readonly sentSince: () => number;
}

/** Something happens, once, when the third volume, the last one, has become an object: two are written down, and no upload is open that could be taken away. */
function behindThirdVolume(happens: () => Promise<unknown>): Watched {
  let struck = false;
  let sent = 0;
  const watched = around(backend, {
    async call(call, run) {
      if (struck && call.target.endsWith('.holdfast')) sent += call.bytes;
      const value = await run(call.signal);
      if (!struck && call.verb === 'complete' && call.target.endsWith('.003.holdfast')) {
        struck = true;
        await happens();
      }
      return value;
    },
    stream: (call, open) => open(call.signal),
  });
  return { backend: watched, sentSince: () => sent };
}

test('what it has written down is not sent again, and the snapshot rests on it', async () => {
  const { backend: where, sentSince } = behindThirdVolume(() => backend.remove(first));
  const one = on('machine-one', where);
  expect(await one.backup(source, request)).toMatchObject({ outcome: 'written', files: 7, kept: { files: 4 } });
  // The lost file, and the two of the volume that was not written down.
  expect([sentSince() > 1.5 * volumeSize, sentSince() < 1.6 * volumeSize]).toEqual([true, true]);
  expect((await keysOf(backend)).filter((key) => key.endsWith('.partial'))).toEqual([]);
  await expectSame(one, source);
  // It counts as whole, and a prune leaves all that it rests on.
  const rows = await one.engine.snapshots(one.destination, {}, {});
  expect(rows.at(-1)).toMatchObject({ complete: true, sharedBytes: 0 });
  await one.prune({ policy: { last: 1 } });
  await expectSame(one, source);
});

test('a machine that has taken the server over meanwhile keeps the volumes that its snapshot rests on, and the run says whose it is', async () => {
  const two = on('machine-two');
  const { backend: where } = behindThirdVolume(async () => {
    expect(await two.backup(source, { ...request, takeOver: true, whole: 'always' })).toMatchObject({ kept: { files: 4 } });
    expect((await two.prune({ policy: { last: 1 } })).objects).toContain(first);
  });
  await expect(on('machine-one', where).backup(source, request)).rejects.toMatchObject(lockedBy('machine-two'));
  expect((await two.verify()).damage).toEqual([]);
  await expectSame(two, source);
});

test('who takes a server over and loses an archive of the former owner begins anew as well', async () => {
  writeFileSync(join(source, 'b0'), 'small');
  for (let file = 1; file < 6; file += 1) rmSync(join(source, `b${file}`));
  const where = around(backend, {
    async call(call, run) {
      const value = await run(call.signal);
      if (call.verb === 'complete' && call.target.endsWith('.holdfast') && call.target !== first) await backend.remove(first);
      return value;
    },
    stream: (call, open) => open(call.signal),
  });
  const two = on('machine-two', where);
  expect(await two.backup(source, { ...request, takeOver: true })).toMatchObject({ outcome: 'written', kept: { files: 0 } });
  await expectSame(two, source);
});

describe('volumes of the run itself, of which the first two are written down,', () => {
  beforeEach(() => {
    backend = memoryBackend();
    rmSync(join(source, 'a0'));
  });

  test('are taken over, no longer needed and removed by another machine: no snapshot names them, and the run says whose the server is', async () => {
    const two = on('machine-two');
    const { backend: where } = behindThirdVolume(async () => {
      const taken = (await archivesOf(two)).filter((key) => !key.endsWith('.003.holdfast'));
      expect(await two.backup(source, { ...request, takeOver: true, whole: 'always' })).toMatchObject({ kept: { files: 4 } });
      await two.backup(source, { whole: 'always', force: true });
      expect((await two.prune({ policy: { last: 1 } })).objects).toEqual(expect.arrayContaining(taken));
    });
    await expect(on('machine-one', where).backup(source, request)).rejects.toMatchObject(lockedBy('machine-two'));
    expect((await two.verify()).damage).toEqual([]);
    await expectSame(two, source);
  });

  test('are lost: what they held is sent again, and nothing else that is written down', async () => {
    const { backend: where, sentSince } = behindThirdVolume(async () => {
      const [volume = ''] = await archivesOf(on('machine-one'));
      await backend.remove(volume);
    });
    const one = on('machine-one', where);
    expect(await one.backup(source, request)).toMatchObject({ outcome: 'written', files: 6, kept: { files: 2 } });
    // Two files of the lost volume, and the two of the one that was not written down.
    expect([sentSince() > 2 * volumeSize, sentSince() < 2.1 * volumeSize]).toEqual([true, true]);
    expect((await keysOf(backend)).filter((key) => key.endsWith('.partial'))).toEqual([]);
    await expectSame(one, source);
  });

  test('are lost again and again: the run ends, and the next one goes on', async () => {
    const where = around(backend, {
      async call(call, run) {
        const value = await run(call.signal);
        if (call.verb === 'complete' && /Z-[a-z0-9]{6}\.partial$/.test(call.target))
          await backend.remove(call.target.replace('.partial', '.holdfast'));
        return value;
      },
      stream: (call, open) => open(call.signal),
    });
    await expect(on('machine-one', where).backup(source, request)).rejects.toMatchObject({ code: 'corrupt' });
    const one = on('machine-one');
    expect(await one.backup(source, request)).toMatchObject({ outcome: 'written' });
    await expectSame(one, source);
  });
});
