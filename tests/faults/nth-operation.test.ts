import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { FaultCode } from '../../main/contract/faults.ts';
import type { PackedArchive, Packer, PackResult, VolumeLines } from '../../main/engine/archive/packer.ts';
import type { Credentials } from '../../main/engine/engine.ts';
import type { Backend, ByteStream } from '../../main/engine/storage/backend.ts';
import { retry } from '../../main/engine/storage/layers/retry.ts';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';
import { failCall } from '../support/chaos.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { contents, keysOf, movableClock, newStateDir, password, recoveryKeyOf, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { seededNumbers } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * Every call that a command makes of its destination fails once, before or after its effect, as SQLite's tests do with every
 * allocation. Nothing older may suffer, nothing half may be offered, and the command must work when it is called again.
 */

// Hundreds of runs in one test: the loop is the test, and a busy machine is no failure.
vi.setConfig({ testTimeout: 900_000 });

const hour = 3_600_000;
const kinds: readonly FaultCode[] = ['unavailable', 'quota-exceeded'];
const stateDir = newStateDir();

interface RecordedVolume {
  readonly pieces: readonly Buffer[];
  readonly archive: PackedArchive;
  readonly written: { readonly text: readonly Buffer[]; readonly order: VolumeLines['order'] } | null;
}

async function copied(bytes: ByteStream): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes) pieces.push(Buffer.from(Uint8Array.from(piece)));
  return pieces;
}

function replayed({ text, order }: NonNullable<RecordedVolume['written']>): VolumeLines {
  async function* read(): ByteStream {
    yield* text;
  }
  return { order, lines: { size: Buffer.concat(text).length, read } };
}

/** What the real packer made once, made again without threads: the same vault, so the same bytes are right. */
function replayingPacker(): Packer {
  const real = threadPacker();
  let recorded: {
    volumes: RecordedVolume[];
    result: Omit<PackResult, 'entryLines' | 'outcomes'>;
    lines: Buffer[];
  } | null = null;
  return async (request, targets, run) => {
    const [target] = targets;
    if (target === undefined) throw new Error('no target');
    if (recorded === null) {
      const volumes: RecordedVolume[] = [];
      const made = await real(
        request,
        [
          {
            ...target,
            beginVolume: async () => {
              const pieces: Buffer[] = [];
              return {
                write: async (bytes) => {
                  pieces.push(Buffer.from(Uint8Array.from(bytes)));
                },
                finish: async (archive, lines) => {
                  const known = await lines;
                  const text = known === null ? [] : await copied(known.lines.read());
                  volumes.push({ pieces, archive, written: known === null ? null : { text, order: known.order } });
                },
                abort: async () => undefined,
              };
            },
          },
        ],
        {},
      );
      const lines = await copied(made.entryLines.read());
      await made.entryLines.dispose();
      recorded = { volumes, result: { totals: made.totals, warnings: made.warnings, order: made.order, kept: made.kept }, lines };
    }
    for (const { pieces, archive, written } of recorded.volumes) {
      const upload = await target.beginVolume();
      try {
        for (const piece of pieces) await upload.write(piece);
        await upload.finish(archive, Promise.resolve(written === null ? null : replayed(written)));
      } catch (error) {
        await upload.abort().catch(() => undefined);
        throw error;
      }
    }
    expect(run).toBeTypeOf('object');
    const entryLines = openSpool();
    for (const piece of recorded.lines) await entryLines.append(piece);
    return { ...recorded.result, outcomes: [recorded.volumes.map(({ archive }) => archive)], entryLines };
  };
}

let packer: Packer;
let folder: string;
let base: ReadonlyMap<string, Buffer>;
let parent: string;
let recoveryKey: Credentials;
const provider = movableClock();

async function fresh(): Promise<Backend> {
  const backend = memoryBackend({ clock: provider });
  for (const [key, bytes] of base) await uploadBytes(backend, key, bytes);
  return backend;
}

const worldOn = (backend: Backend, as: Credentials = recoveryKey): World =>
  world({ backend, clock: provider, stateDir, credentials: as, host: { packer } });

beforeAll(async () => {
  packer = replayingPacker();
  parent = join(stateDir, 'nth');
  folder = join(parent, 'source');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'world.dat'), Buffer.alloc(300_000, 'blocks'));
  for (let file = 0; file < 12; file += 1) writeFileSync(join(folder, `f${file}`), Buffer.alloc(30_000, file));
  const backend = memoryBackend({ clock: provider });
  const one = worldOn(backend, byPassword(password));
  recoveryKey = await recoveryKeyOf(one);
  await craftSnapshot(one, { time: provider.now() - 9 * hour });
  await craftSnapshot(one, { time: provider.now() - 8 * hour });
  base = await contents(backend);
});

const byPassword = (text: string): Credentials => ({ kind: 'password', password: text });

async function code(act: Promise<unknown>): Promise<FaultCode | null> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null) expect(error).toBeInstanceOf(Fault);
  return (error as Fault | null)?.code ?? null;
}

const clearing: readonly string[] = ['abort', 'abandon'];

/** Runs `act` once to count its calls, then once for every call, time and kind, and hands each wreck to `check`. */
async function everyCall(
  act: (on: World) => Promise<unknown>,
  check: (backend: Backend, where: string) => Promise<void>,
  options: {
    readonly as?: Credentials;
    readonly kinds?: readonly FaultCode[];
    readonly whens?: readonly ('before' | 'after')[];
    readonly unnoticed?: readonly string[];
  } = {},
): Promise<number> {
  const probe = failCall({ k: Infinity, fault: new Fault('unexpected', 'never'), when: 'before' });
  expect(await code(act(worldOn(probe.layer(await fresh()), options.as)))).toBe(null);
  const calls = probe.calls();
  for (const when of options.whens ?? (['before', 'after'] as const)) {
    // A reply that is lost is lost the same way, whatever the reason.
    for (const kind of when === 'after' ? (['unavailable'] as const) : (options.kinds ?? kinds)) {
      for (let k = 1; k <= calls.length; k += 1) {
        const backend = await fresh();
        const where = `${calls[k - 1] ?? ''} (call ${k} of ${calls.length}), ${when}, ${kind}`;
        const failed = await code(act(worldOn(failCall({ k, fault: new Fault(kind, 'struck'), when }).layer(backend), options.as)));
        expect([where, failed === kind || failed === null]).toEqual([where, true]);
        // Only what is no part of the work may fail unnoticed: the clearing of what an earlier or failing run left.
        if (failed === null) expect([where, (options.unnoticed ?? clearing).includes(calls[k - 1] ?? '')]).toEqual([where, true]);
        await check(backend, where);
      }
    }
  }
  return calls.length;
}

async function expectOldUntouched(backend: Backend, where: string, except: readonly string[] = []): Promise<void> {
  const now = await contents(backend);
  for (const [key, bytes] of base) if (!except.includes(key)) expect([where, key, now.get(key)?.equals(bytes)]).toEqual([where, key, true]);
}

async function openUploads(backend: Backend): Promise<number> {
  let count = 0;
  for await (const upload of backend.openUploads('')) if (upload.token !== '') count += 1;
  return count;
}

describe('every call of a command fails once', () => {
  test('backup: nothing of its own is left but finished volumes, and the next one works and clears the rest', async () => {
    let mostKept = 0;
    let notRemoved = 0;
    const backup = (on: World): Promise<unknown> => on.backup(folder, { force: true, volumeSize: 1, whole: 'always' });
    const check = async (backend: Backend, where: string): Promise<void> => {
      await expectOldUntouched(backend, where);
      const left = (await keysOf(backend)).filter((key) => !base.has(key));
      // What is written down goes when the snapshot counts already: that some of it could not be removed is no failure.
      if (left.some((key) => key.endsWith('.manifest'))) {
        expect([where, where.startsWith('remove')]).toEqual([where, true]);
        if (left.some((key) => key.endsWith('.partial'))) notRemoved += 1;
        return;
      }
      // Volumes that are finished and written down serve the next run. Of what is none, one thing can stay: that whose own removal is what failed.
      const volumes = left.filter((key) => key.endsWith('.partial')).map((key) => key.replace(/partial$/, 'holdfast'));
      const kept = new Set(volumes.flatMap((key) => [key, `${key}.sha256`, key.replace(/holdfast$/, 'partial')]));
      const isProbe = (key: string): boolean => key.startsWith('survival/holdfast.test-');
      const mayStay = where.startsWith('remove') ? isProbe : () => false;
      expect([where, left.filter((key) => !kept.has(key) && !mayStay(key))]).toEqual([where, []]);
      expect([where, [...kept].filter((key) => !left.includes(key))]).toEqual([where, []]);
      expect([where, left.length - kept.size <= (where.startsWith('remove') ? 1 : 0)]).toEqual([where, true]);
      mostKept = Math.max(mostKept, volumes.length);
      const again = worldOn(backend);
      expect([where, await code(backup(again))]).toEqual([where, null]);
      expect([where, await openUploads(backend)]).toEqual([where, 0]);
      const after = await keysOf(backend);
      expect(after.filter((key) => key.endsWith('.manifest'))).toHaveLength(3);
      expect([where, after.filter((key) => key.endsWith('.partial') || isProbe(key))]).toEqual([where, []]);
    };
    const calls = await everyCall(backup, check, { unnoticed: [...clearing, 'remove'] });
    expect(mostKept).toBeGreaterThan(10);
    expect(notRemoved).toBeGreaterThan(10);
    expect(calls).toBeGreaterThan(20);
    const backend = await fresh();
    await backup(worldOn(backend));
    expect((await worldOn(backend).verify({ snapshot: 'latest' })).damage).toEqual([]);
  });

  test('the first backup of a destination: no vault is lost, and what follows opens with it', async () => {
    const backup = (on: World): Promise<unknown> => on.backup(folder, { force: true });
    const probe = failCall({ k: Infinity, fault: new Fault('unexpected', 'never'), when: 'before' });
    const own = (backend: Backend): World => world({ backend, clock: provider, stateDir });
    await backup(own(probe.layer(memoryBackend({ clock: provider }))));
    // From the making of the vault to the first upload; the calls after that are those of any backup. The first one finds no vault,
    // which is an answer that gets lost no more than any.
    for (const when of ['before', 'after'] as const) {
      for (let k = when === 'before' ? 1 : 2; k <= 7; k += 1) {
        const backend = memoryBackend({ clock: provider });
        const failed = await code(backup(own(failCall({ k, fault: new Fault('timeout', 'struck'), when }).layer(backend))));
        expect([k, when, probe.calls()[k - 1], failed]).toEqual([k, when, probe.calls()[k - 1], 'timeout']);
        const crafted = await craftSnapshot(own(backend));
        const rows = await own(backend).engine.snapshots(own(backend).destination, {}, {});
        expect([k, when, rows.map(({ id, complete }) => [id, complete])]).toEqual([k, when, [[crafted.id, true]]]);
      }
    }
  });

  test('password: either the old one or the new one opens everything, and the change can be made again', async () => {
    for (const newKey of [false, true]) {
      const change = (on: World): Promise<unknown> => on.engine.changePassword(on.destination, { newPassword: 'second', newKey }, {});
      await everyCall(
        change,
        async (backend, where) => {
          await expectOldUntouched(backend, where, ['holdfast.vault']);
          const opening = [];
          for (const candidate of [password, 'second']) {
            const on = worldOn(backend, byPassword(candidate));
            const rows = await on.engine.snapshots(on.destination, {}, {}).catch(() => null);
            if (rows?.every(({ complete }) => complete) === true) opening.push(candidate);
          }
          expect([where, opening.length]).toEqual([where, 1]);
          expect([where, await code(change(worldOn(backend, byPassword(opening[0] ?? ''))))]).toEqual([where, null]);
          expect(await code(worldOn(backend, byPassword('second')).verify({ quick: true }))).toBe(null);
        },
        { kinds: ['unavailable'], as: byPassword(password) },
      );
    }
  });

  test.each(['pin', 'unpin'] as const)('%s: the snapshots stay, and it can be done again', async (verb) => {
    const act = (on: World): Promise<unknown> => on.engine[verb](on.destination, { snapshot: 'latest', server: 'survival' }, {});
    await everyCall(
      act,
      async (backend, where) => {
        await expectOldUntouched(backend, where);
        expect([where, await code(act(worldOn(backend)))]).toEqual([where, null]);
        const on = worldOn(backend);
        expect((await on.engine.snapshots(on.destination, {}, {})).map(({ pinned }) => pinned)).toEqual([false, verb === 'pin']);
      },
      { kinds: ['unavailable'] },
    );
  });

  test('snapshots and ls: a fault, never a shorter list', async () => {
    await everyCall((on) => on.engine.snapshots(on.destination, {}, {}), expectOldUntouched, { kinds: ['unavailable', 'timeout'] });
    const list = async (on: World): Promise<void> => {
      for await (const { path } of on.engine.list(on.destination, { snapshot: 'latest' }, {})) expect(path).toMatch(/./);
    };
    await everyCall(list, expectOldUntouched, { kinds: ['unavailable'] });
  });

  test('restore: the target is not even begun, and the next one brings it', async () => {
    const outs = tempFolder();
    let run = 0;
    const act = (on: World): Promise<unknown> => on.restore(join(outs, `out${(run += 1)}`));
    await everyCall(
      act,
      async (backend, where) => {
        await expectOldUntouched(backend, where);
        expect([where, readdirSync(outs)]).toEqual([where, ['out1']]);
      },
      { kinds: ['unavailable'] },
    );
    expect(await code(act(worldOn(await fresh())))).toBe(null);
  });

  test('verify: weather is a fault, and never reported as damage', async () => {
    await everyCall((on) => on.verify({ snapshot: 'latest' }), expectOldUntouched, { kinds: ['unavailable'], whens: ['before'] });
  });
});

test('lost replies settle: with the retry layer each call may fail once on either side, and the backup is there, once', async () => {
  const backup = (on: World): Promise<unknown> => on.backup(folder, { force: true, volumeSize: 1, whole: 'always' });
  const next = seededNumbers(7);
  const random = { bytes: (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
  const patient = (backend: Backend): World =>
    worldOn(retry({ clock: { now: () => provider.now(), sleep: async () => undefined }, random })(backend));
  const probe = failCall({ k: Infinity, fault: new Fault('unexpected', 'never'), when: 'before' });
  await backup(patient(probe.layer(await fresh())));
  for (const when of ['before', 'after'] as const) {
    for (let k = 1; k <= probe.calls().length; k += 1) {
      const backend = await fresh();
      const where = `${probe.calls()[k - 1] ?? ''} (call ${k}), ${when}`;
      expect([where, await code(backup(patient(failCall({ k, fault: new Fault('unavailable', 'struck'), when }).layer(backend))))]).toEqual(
        [where, null],
      );
      await expectOldUntouched(backend, where);
      const on = worldOn(backend);
      expect([where, (await on.engine.snapshots(on.destination, {}, {})).map(({ complete }) => complete)]).toEqual([
        where,
        [true, true, true],
      ]);
      expect([where, (await keysOf(backend)).filter((key) => key.includes('holdfast.test-'))]).toEqual([where, []]);
    }
  }
});
