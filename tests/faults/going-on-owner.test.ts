import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { around } from '../../main/engine/storage/layers/around.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { uploadEnded } from '../conformance/suite-support.ts';
import { flipped } from '../support/damage.ts';
import { backupRequest, keysOf, movableClock, newStateDir, put, type World } from '../support/engine-on-memory.ts';
import { anHourLater, expectSame, hour } from '../support/incremental.ts';
import { mortal } from '../support/mortal.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * Whose a server is while no manifest says so: two computers back up a folder of the same name to the same place.
 */

const volumeSize = 2 ** 20;
const request = { volumeSize };
const [first, second] = ['machine-one', 'machine-two'];
const locked = (owner: string): object => ({
  code: 'locked',
  message: `"survival" belongs to another machine (${owner}); it may be read from here, and taken over with --take-over`,
});

const clock = movableClock();
let backend = memoryBackend();
let source = '';

beforeEach(() => {
  clock.offset = 0;
  backend = memoryBackend({ clock });
  source = folderOf(6);
});

/** Two files are a volume. */
function folderOf(files: number): string {
  const folder = tempFolder();
  addFiles(folder, 'f', files);
  return folder;
}

function addFiles(folder: string, name: string, files: number): void {
  for (let file = 0; file < files; file += 1) writeFileSync(join(folder, `${name}${file}`), randomBytes(volumeSize / 2));
}

const on = (machine: string, where: Backend = backend): World => anHourLater({ backend: where, clock, machine, stateDir: newStateDir() });

interface Held {
  readonly machine: World;
  /** The first part of the volume is about to be sent. */
  readonly reached: Promise<void>;
  readonly go: () => void;
}

/** A machine whose run waits in a volume. */
function heldAt(machine: string, ending: string): Held {
  const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = around(backend, {
    async call(call, run) {
      if (call.verb === 'writePart' && call.target.endsWith(ending)) {
        reached.resolve();
        await go.promise;
      }
      return await run(call.signal);
    },
    stream: (call, open) => open(call.signal),
  });
  return { machine: on(machine, slow), reached: reached.promise, go: go.resolve };
}

async function cutOff(machine: string, ending: string): Promise<void> {
  const { backend: dying } = mortal(
    backend,
    ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith(ending),
  );
  await expect(on(machine, dying).backup(source, request)).rejects.toBeInstanceOf(Fault);
}

const partialsOf = async (): Promise<readonly string[]> => (await keysOf(backend)).filter((key) => key.endsWith('.partial'));

async function openUploads(): Promise<number> {
  let count = 0;
  for await (const upload of backend.openUploads('survival/')) count += upload.token === '' ? 0 : 1;
  return count;
}

describe('while the first backup of a server is under way', () => {
  test('a folder of that name on another machine gets none, and takes nothing away', async () => {
    const { machine: one, reached, go } = heldAt(first, '.003.holdfast');
    const running = one.backup(source, request);
    await reached;
    const before = await keysOf(backend);
    const other = folderOf(1);
    await expect(on(second).backup(other, request)).rejects.toMatchObject(locked(first));
    await expect(on(second).backup(other, { ...request, format: 'classic' })).rejects.toMatchObject(locked(first));
    expect([await keysOf(backend), await openUploads()]).toEqual([before, 1]);
    go();
    expect(await running).toMatchObject({ outcome: 'written', warnings: [] });
    await expectSame(one, source);
    expect(await partialsOf()).toEqual([]);
    await expect(on(second).backup(other, request)).rejects.toMatchObject(locked(first));
  });

  test('the first volume of which is not written down, nobody knows whose it is: the run it is taken from says what happened', async () => {
    const { machine: one, reached, go } = heldAt(first, '.holdfast');
    const running = one.backup(source, request);
    await reached;
    const other = folderOf(1);
    expect((await on(second).backup(other, request)).outcome).toBe('written');
    go();
    await expect(running).rejects.toMatchObject(uploadEnded);
    // From now on it is known.
    await expect(on(first).backup(source, request)).rejects.toMatchObject(locked(second));
    await expectSame(on(second), other);
  });
});

describe('of a run that did not end', () => {
  beforeEach(async () => {
    await cutOff(first, '.002.partial');
  });

  test('the machine is the owner: another one takes over, and is it from its first volume on', async () => {
    await expect(on(second).backup(source, request)).rejects.toMatchObject(locked(first));
    const { machine: two, reached, go } = heldAt(second, '.002.holdfast');
    addFiles(source, 'new', 3);
    const running = two.backup(source, { ...request, takeOver: true });
    await reached;
    await expect(on(first).backup(source, request)).rejects.toMatchObject(locked(second));
    go();
    expect(await running).toMatchObject({ outcome: 'written', kept: { files: 4 } });
    await expectSame(two, source);
    await expect(on(first).backup(source, request)).rejects.toMatchObject(locked(second));
  });

  test('what was written down last is damaged: what was before it says whose it is', async () => {
    const key = (await partialsOf()).find((one) => one.endsWith('.002.partial')) ?? '';
    const bytes = Buffer.from(await readBytes(backend, key, { limit: 2 ** 20 }));
    await put(backend, key, flipped(bytes, bytes.length - 30));
    await expect(on(second).backup(source, request)).rejects.toMatchObject(locked(first));
  });

  test('another one may not prune either', async () => {
    const before = await keysOf(backend);
    for (const days of [0, 13]) {
      clock.offset = days * 24 * hour;
      for (const dryRun of [true, false])
        await expect(on(second).prune({ policy: { last: 1 }, dryRun })).rejects.toMatchObject(locked(first));
    }
    expect(await keysOf(backend)).toEqual(before);
  });

  test('it is the owner for 14 days by the clock of the place', async () => {
    clock.offset = 13 * 24 * hour;
    await expect(on(second).backup(source, request)).rejects.toMatchObject(locked(first));
    // A computer's own clock ends it no sooner.
    const ahead = movableClock();
    ahead.offset = 100 * 24 * hour;
    const wrong = anHourLater({ backend, clock: ahead, machine: second, stateDir: newStateDir() });
    await expect(wrong.backup(source, request)).rejects.toMatchObject(locked(first));
    clock.offset = 15 * 24 * hour;
    expect((await on(second).backup(source, request)).outcome).toBe('written');
  });
});

test('a server that is being taken over belongs to who takes it, before that run has ended', async () => {
  const one = on(first);
  await one.backup(source, request);
  addFiles(source, 'new', 3);
  const { machine: two, reached, go } = heldAt(second, '.002.holdfast');
  const running = two.engine.backup(two.destination, backupRequest(source, { ...request, takeOver: true }), {});
  await reached;
  await expect(one.backup(source, request)).rejects.toMatchObject(locked(second));
  await expect(one.prune({ policy: { last: 1 } })).rejects.toMatchObject(locked(second));
  go();
  expect((await running).outcome).toBe('written');
  await expectSame(two, source);
});
