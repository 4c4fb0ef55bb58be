import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { countingBackend } from '../support/chaos.ts';
import { keysOf, movableClock, newStateDir, put, type World } from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf, expectSame, hour } from '../support/incremental.ts';
import { mortal } from '../support/mortal.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * A prune by a listing that lacks the newest snapshot, as those of some clouds do for a while. The object itself is there for who asks for it.
 */

const volumeSize = 2 ** 20;
const clock = movableClock();
let backend = memoryBackend({ clock });
let source = '';
let stateDir = '';

beforeEach(() => {
  clock.offset = 0;
  backend = memoryBackend({ clock });
  source = tempFolder();
  stateDir = newStateDir();
  for (let file = 0; file < 6; file += 1) writeFileSync(join(source, `f${file}`), randomBytes(volumeSize / 2));
});

const on = (where: Backend = backend, state = stateDir): World => anHourLater({ backend: where, clock, stateDir: state });

/** Its listings lack what `isHidden` says. */
function hiding(isHidden: (key: string) => boolean): Backend {
  return {
    ...backend,
    async *list(prefix, options) {
      for await (const info of backend.list(prefix, options)) if (!isHidden(info.key)) yield info;
    },
  };
}

/** Refused, and nothing is touched, until the listing shows all. */
async function refused(isHidden: (key: string) => boolean, manifest: string, state = stateDir): Promise<void> {
  const before = await keysOf(backend);
  await expect(on(hiding(isHidden), state).prune({ policy: { last: 1 } })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(manifest) as string,
  });
  // Who only looks takes no lock: a backup that ends meanwhile is no fault.
  await on(hiding(isHidden), state).prune({ policy: { last: 1 }, dryRun: true });
  expect(await keysOf(backend)).toEqual(before);
  await expectSame(on(), source);
  await on().prune({ policy: { last: 1 } });
  await expectSame(on(), source);
}

async function cutOff(): Promise<void> {
  const dying = mortal(backend, ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.002.partial'));
  await expect(on(dying.backend).backup(source, { volumeSize })).rejects.toBeInstanceOf(Fault);
}

test('a manifest alone is hidden, of a snapshot that rests on volumes of a run that did not end', async () => {
  await cutOff();
  clock.offset = 72 * hour;
  const { id } = await on().backup(source, { volumeSize });
  const manifest = `survival/${id}.manifest`;
  // Also from a computer that remembers nothing of it.
  await refused((key) => key === manifest, manifest, newStateDir());
});

test('nothing of it is listed: this computer remembers what it has stored last', async () => {
  await cutOff();
  clock.offset = 72 * hour;
  const { id } = await on().backup(source, { volumeSize });
  await refused((key) => key.includes(id), `survival/${id}.manifest`);
});

test('nothing of it is listed, and it rests on what only older snapshots hold', async () => {
  const one = on();
  const away = join(tempFolder(), 'away');
  await one.backup(source, { volumeSize });
  renameSync(join(source, 'f0'), away);
  rmSync(join(source, 'f1'));
  await one.backup(source, { volumeSize, whole: 'always' });
  renameSync(away, join(source, 'g0'));
  const { id, kept } = await one.backup(source, { volumeSize });
  expect(kept.files).toBe(5);
  await refused((key) => key.includes(id), `survival/${id}.manifest`);
});

test('a computer whose memory cannot be read goes by what is listed', async () => {
  await on().backup(source, { volumeSize });
  const memory = { recall: () => Promise.reject(new Error('EIO')), remember: () => Promise.reject(new Error('EIO')) };
  const one = anHourLater({ backend, clock, host: { memory } });
  writeFileSync(join(source, 'new'), 'new');
  expect(await one.backup(source, { volumeSize })).toMatchObject({ outcome: 'written', warnings: [] });
  expect((await one.prune({ policy: { last: 1 } })).remove).toHaveLength(1);
});

test('asks only for what nothing listed names', async () => {
  const one = on();
  await one.backup(source, { volumeSize });
  for (let run = 0; run < 3; run += 1) {
    writeFileSync(join(source, `new${run}`), `${run}`);
    await one.backup(source, { volumeSize });
  }
  await one.prune({ policy: { last: 1 } });
  expect((await archivesOf(one)).length).toBeGreaterThan(4);
  const leftover = 'survival/20200101T000000Z-aaaaaa';
  await put(backend, `${leftover}.holdfast`, 'half');
  const counting = countingBackend();
  await on(counting.layer(backend)).prune({ policy: { last: 1 } });
  expect(counting.calls.filter(({ verb }) => verb === 'stat').map(({ target }) => target)).toEqual([`${leftover}.manifest`]);
});
