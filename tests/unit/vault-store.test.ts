import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import { vaultName } from '../../main/engine/archive/vault.ts';
import { kitText } from '../../main/engine/kit/kit-text.ts';
import type { WritableSpool } from '../../main/engine/host.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { flipped } from '../support/damage.ts';
import { contents, holding, keysOf, password, put, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

const recordSize = 92;

async function fault(act: Promise<unknown>): Promise<Fault> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

const rows = (from: World, as?: string): Promise<readonly { id: string; complete: boolean; problem?: string }[]> =>
  from.engine.snapshots(as === undefined ? from.destination : from.as(as), {}, {});

async function vaultOf(backend: Backend): Promise<Buffer> {
  return (await contents(backend, vaultName)).get(vaultName) ?? Buffer.alloc(0);
}

/** Two snapshots before a change of the password and one after it. */
async function changedOnce(): Promise<World> {
  const old = world();
  await craftSnapshot(old, { time: Date.UTC(2026, 1, 1) });
  await craftSnapshot(old, { time: Date.UTC(2026, 1, 2) });
  await old.engine.changePassword(old.destination, { newPassword: 'second', newKey: false }, {});
  const now = world({ backend: old.backend, credentials: { kind: 'password', password: 'second' } });
  await craftSnapshot(now, { time: Date.UTC(2026, 1, 3) });
  return now;
}

async function copyOf(from: World, change: (objects: Map<string, Buffer>) => void): Promise<World> {
  const objects = await contents(from.backend);
  change(objects);
  return world({ backend: await holding(objects), credentials: from.destination.credentials });
}

const smallFolder = (): string => {
  const folder = join(tempFolder(), 'source');
  mkdirSync(folder);
  writeFileSync(join(folder, 'world.dat'), 'blocks');
  return folder;
};

/** A backend that waits before it begins to upload a key; `reached` settles when it does. */
function halting(inner: Backend, stopAt: (key: string) => boolean): { backend: Backend; reached: Promise<void>; go: () => void } {
  const [reach, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const backend: Backend = {
    ...inner,
    beginUpload: async (key, options) => {
      if (stopAt(key)) {
        reach.resolve();
        await go.promise;
      }
      return inner.beginUpload(key, options);
    },
  };
  return { backend, reached: reach.promise, go: () => go.resolve() };
}

describe('a vault that is missing or damaged beside data', () => {
  test('missing: it is rebuilt from the objects, never made anew, and the next backup puts it back', async () => {
    const first = world();
    await craftSnapshot(first);
    const vault = await vaultOf(first.backend);
    const bare = await copyOf(first, (objects) => objects.delete(vaultName));
    expect(await rows(bare)).toMatchObject([{ complete: true }]);
    expect(await keysOf(bare.backend, vaultName)).toEqual([]);
    expect((await bare.verify({ quick: true })).damage).toMatchObject([{ object: vaultName }]);
    expect((await fault(rows(bare, 'another'))).code).toBe('wrong-password');
    await bare.backup(smallFolder());
    expect((await vaultOf(bare.backend)).equals(vault)).toBe(true);
    expect((await rows(bare)).map(({ complete }) => complete)).toEqual([true, true]);
  });

  test('missing after a change of the password: the old password is still known as the old one', async () => {
    const bare = await copyOf(await changedOnce(), (objects) => objects.delete(vaultName));
    expect((await rows(bare, 'second')).map(({ complete }) => complete)).toEqual([true, true, true]);
    expect((await fault(rows(bare, password))).message).toContain('has been changed');
  });

  test('missing, and one object of the only snapshot damaged: the whole header of the other is enough', async () => {
    const first = world();
    const { archive, manifest } = await craftSnapshot(first);
    for (const key of [archive, manifest]) {
      const bare = await copyOf(first, (objects) => objects.set(key, flipped(objects.get(key) ?? Buffer.alloc(0), 50)).delete(vaultName));
      expect(await rows(bare)).toMatchObject([{ complete: true }]);
    }
  });

  test('every byte of it flipped: the password opens everything, the former one is told, a wrong one is wrong', async () => {
    const whole = await changedOnce();
    const objects = await contents(whole.backend);
    const vault = await vaultOf(whole.backend);
    expect(vault.length).toBe(2 * recordSize);
    for (let at = 0; at < vault.length; at += 3) {
      const bad = world({
        backend: await holding(new Map(objects).set(vaultName, flipped(vault, at, 0x20))),
        credentials: whole.destination.credentials,
      });
      expect([at, (await rows(bad)).map(({ complete }) => complete)]).toEqual([at, [true, true, true]]);
      if (at % 12 !== 0) continue;
      const old = await fault(rows(bad, password));
      expect([at, old.code, old.message]).toEqual([at, 'wrong-password', expect.stringContaining('has been changed')]);
      const wrong = await fault(rows(bad, 'never was one'));
      expect([at, wrong.code, wrong.message.includes('changed')]).toEqual([at, 'wrong-password', false]);
    }
  });

  const shapes: readonly (readonly [string, (vault: Buffer) => Buffer])[] = [
    ['empty', () => Buffer.alloc(0)],
    ['cut inside the second record', (vault) => vault.subarray(0, recordSize + 10)],
    ['cut inside the first record', (vault) => vault.subarray(0, 30)],
    ['all zeros', (vault) => Buffer.alloc(vault.length)],
    ['its first record zeroed', (vault) => Buffer.concat([Buffer.alloc(recordSize), vault.subarray(recordSize)])],
    ['its second record zeroed', (vault) => Buffer.concat([vault.subarray(0, recordSize), Buffer.alloc(recordSize)])],
    ['with bytes behind it', (vault) => Buffer.concat([vault, Buffer.from('garbage')])],
    ['far too large', () => Buffer.alloc(200_000, 7)],
    ['something else', () => Buffer.from('<html>sign in to the hotel network</html>')],
  ];
  test.each(shapes)('%s', async (_, change) => {
    const whole = await changedOnce();
    const bad = await copyOf(whole, (objects) => objects.set(vaultName, change(objects.get(vaultName) ?? Buffer.alloc(0))));
    expect((await rows(bad, 'second')).map(({ complete }) => complete)).toEqual([true, true, true]);
    expect((await bad.verify({ quick: true })).damage).toMatchObject([{ object: vaultName, kind: 'vault' }]);
    expect((await fault(rows(bad, password))).message).toContain('has been changed');
    expect((await fault(rows(bad, 'never was one'))).code).toBe('wrong-password');
    await craftSnapshot(bad);
    const again = world({ backend: bad.backend, credentials: bad.destination.credentials });
    expect((await again.verify({ quick: true })).damage).toEqual([]);
    expect((await fault(rows(again, password))).message).toContain('has been changed');
  });

  test('a damaged older record does not cost a new password that no object bears yet', async () => {
    const one = world();
    await craftSnapshot(one);
    await one.engine.changePassword(one.destination, { newPassword: 'second', newKey: false }, {});
    for (const at of [recordSize, recordSize + 8, recordSize + 50]) {
      const bad = await copyOf(one, (objects) => objects.set(vaultName, flipped(objects.get(vaultName) ?? Buffer.alloc(0), at)));
      expect(await rows(bad, 'second')).toMatchObject([{ complete: true }]);
      expect((await fault(rows(bad, password))).message).toContain('has been changed');
    }
  });
});

describe('two machines that make a vault at the same moment', () => {
  const deaf = (inner: Backend): Backend => ({
    ...inner,
    beginUpload: (key, options) => inner.beginUpload(key, { ...options, ifAbsent: false }),
  });

  const orders = [
    'the first has finished everything',
    'the first has not committed yet',
    'the first has uploaded nothing but its vault',
  ] as const;
  test.each(orders.flatMap((order) => [true, false].map((ifAbsent) => ({ order, ifAbsent }))))(
    'when the second writes its vault, $order (ifAbsent kept: $ifAbsent)',
    async ({ order, ifAbsent }) => {
      const memory = memoryBackend();
      const store = ifAbsent ? memory : deaf(memory);
      const second = halting(store, (key) => key === vaultName);
      const b = world({ backend: second.backend, machine: 'b' });
      const folder = smallFolder();
      const backupB = b.backup(folder, { server: 'two' });
      await second.reached;
      if (order === 'the first has finished everything') {
        await world({ backend: store, machine: 'a' }).backup(folder, { server: 'one' });
        second.go();
        await backupB;
      } else {
        const ending = order === 'the first has not committed yet' ? '.manifest' : '.holdfast';
        const first = halting(store, (key) => key.endsWith(ending));
        const backupA = world({ backend: first.backend, machine: 'a' }).backup(folder, { server: 'one' });
        await first.reached;
        second.go();
        await backupB;
        first.go();
        await backupA;
      }
      const all = world({ backend: memory });
      const records = await vaultOf(memory);
      const heads = [...(await contents(memory))]
        .filter(([key]) => key.endsWith('.manifest'))
        .map(([, bytes]) => bytes.subarray(0, recordSize));
      for (const head of heads) expect(records.includes(head)).toBe(true);
      expect(new Set(heads.map(String)).size).toBe(ifAbsent ? 1 : 2);
      expect((await rows(all)).map(({ complete }) => complete)).toEqual([true, true]);
      await all.engine.changePassword(all.destination, { newPassword: 'second', newKey: false }, {});
      const later = world({ backend: memory, credentials: { kind: 'password', password: 'second' } });
      expect((await later.verify()).snapshots.map(({ ok }) => ok)).toEqual([true, true]);
      expect((await fault(rows(later, password))).message).toContain('has been changed');
    },
  );

  test('with different passwords the second is told, and the first loses nothing', async () => {
    const memory = memoryBackend();
    const store = deaf(memory);
    const second = halting(store, (key) => key === vaultName);
    const folder = smallFolder();
    const b = world({ backend: second.backend, machine: 'b', credentials: { kind: 'password', password: 'other' } });
    const backupB = fault(b.backup(folder, { server: 'two' }));
    await second.reached;
    const a = world({ backend: store, machine: 'a' });
    await a.backup(folder, { server: 'one' });
    second.go();
    expect(await backupB).toMatchObject({ code: 'wrong-password', message: expect.stringContaining('same moment') as string });
    expect(await rows(a)).toMatchObject([{ complete: true }]);
    expect((await a.verify()).damage).toEqual([]);
  });
});

describe('a change of the password', () => {
  test('everything opens with the new one; the old one is told from a wrong one', async () => {
    const now = await changedOnce();
    expect((await rows(now)).map(({ complete }) => complete)).toEqual([true, true, true]);
    expect(await fault(rows(now, password))).toMatchObject({
      code: 'wrong-password',
      message: expect.stringContaining('has been changed') as string,
    });
    expect(await fault(rows(now, 'third'))).toMatchObject({ code: 'wrong-password', message: 'wrong password' });
  });

  test('it rewrites the vault and nothing else', async () => {
    const one = world();
    await craftSnapshot(one);
    const before = await contents(one.backend);
    await one.engine.changePassword(one.destination, { newPassword: 'second', newKey: false }, {});
    const after = await contents(one.backend);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [key, bytes] of before) expect([key, after.get(key)?.equals(bytes)]).toEqual([key, key !== vaultName]);
  });

  test('an empty one is refused, and the vault stays', async () => {
    const one = world();
    await craftSnapshot(one);
    const vault = await vaultOf(one.backend);
    expect((await fault(one.engine.changePassword(one.destination, { newPassword: '', newKey: false }, {}))).code).toBe('config-invalid');
    expect((await vaultOf(one.backend)).equals(vault)).toBe(true);
    expect((await fault(rows(one, ''))).code).toBe('config-invalid');
    expect((await fault(craftSnapshot(world({ credentials: { kind: 'password', password: '' } })))).code).toBe('config-invalid');
  });

  test('composed and decomposed letters are the same password', async () => {
    const one = world({ credentials: { kind: 'password', password: 'Schl\u00fcssel \ufb01' } });
    await craftSnapshot(one);
    expect(await rows(one, 'Schlu\u0308ssel \ufb01')).toMatchObject([{ complete: true }]);
    // NFC only: a ligature is no "fi", and a blank at the end is part of the password.
    expect((await fault(rows(one, 'Schl\u00fcssel fi'))).code).toBe('wrong-password');
    expect((await fault(rows(one, 'Schl\u00fcssel \ufb01 '))).code).toBe('wrong-password');
  });

  test('with a new key the next snapshot is sealed with it, and the old ones still open', async () => {
    const one = world();
    const before = await craftSnapshot(one);
    await one.engine.changePassword(one.destination, { newPassword: 'second', newKey: true }, {});
    const now = world({ backend: one.backend, credentials: { kind: 'password', password: 'second' } });
    const after = await craftSnapshot(now, { time: Date.now() + 1000 });
    const kit = kitText(await now.engine.kit(now.destination, { recoveryKey: true }, {}));
    const keys = kit.match(/HFRK1-[A-Z2-7-]+/g) ?? [];
    expect(new Set(keys).size).toBe(2);
    expect((await rows(now)).map(({ complete }) => complete)).toEqual([true, true]);
    const objects = await contents(one.backend);
    const opened: string[][] = [];
    for (const text of keys) {
      const files: string[] = [];
      for (const { manifest } of [before, after]) {
        const one = async function* (): AsyncGenerator<Uint8Array> {
          yield objects.get(manifest) ?? Buffer.alloc(0);
        };
        await now.engine.openFile(one(), { credentials: { kind: 'recovery-key', text } }, {}).then(
          () => files.push(manifest),
          (error: unknown) => expect(error).toMatchObject({ code: 'wrong-key' }),
        );
      }
      opened.push(files);
    }
    expect(opened.sort()).toEqual([[before.manifest], [after.manifest]].sort());

    const both = { kind: 'recovery-key', text: keys.join('\n') } as const;
    const one_ = { kind: 'recovery-key', text: keys[0] ?? '' } as const;
    expect((await now.engine.snapshots(now.as(both), {}, {})).map(({ complete }) => complete)).toEqual([true, true]);
    const vault = await vaultOf(one.backend);
    // With one of two keys, half of the snapshots would be out of reach of the new password for ever.
    expect((await fault(now.engine.changePassword(now.as(one_), { newPassword: 'third', newKey: false }, {}))).code).toBe('wrong-key');
    expect((await vaultOf(one.backend)).equals(vault)).toBe(true);
    await now.engine.changePassword(now.as(both), { newPassword: 'third', newKey: false }, {});
    expect((await rows(now, 'third')).map(({ complete }) => complete)).toEqual([true, true]);
  });

  test('a backup with the recovery key alone seals with the key that its header wraps', async () => {
    const one = world();
    await craftSnapshot(one);
    await one.engine.changePassword(one.destination, { newPassword: 'second', newKey: true }, {});
    const now = world({ backend: one.backend, credentials: { kind: 'password', password: 'second' } });
    const kit = kitText(await now.engine.kit(now.destination, { recoveryKey: true }, {}));
    const keys = kit.match(/HFRK1-[A-Z2-7-]+/g) ?? [];
    for (const text of [keys.join('\n'), [...keys].reverse().join('\n')]) {
      const byKey = world({ backend: one.backend, credentials: { kind: 'recovery-key', text } });
      const folder = smallFolder();
      // Nothing has been sealed under the newest record yet: which key it wraps only the password tells.
      if (!(await keysOf(one.backend)).some((key) => key.startsWith('later/'))) {
        expect((await fault(byKey.backup(folder, { server: 'later' }))).code).toBe('config-invalid');
        await craftSnapshot(now, { server: 'later', slug: 'later', time: Date.now() - 1000 });
      }
      const { archives } = await byKey.backup(folder, { server: 'later', force: true, whole: 'always' });
      const stored = (await contents(one.backend)).get(archives[0] ?? '') ?? Buffer.alloc(0);
      const alone = async function* (): AsyncGenerator<Uint8Array> {
        yield stored;
      };
      const { kind } = await now.engine.openFile(alone(), { credentials: { kind: 'password', password: 'second' } }, {});
      expect(kind).toBe('zip');
    }
  });
});

describe('a password that is changed while another machine is at work', () => {
  const second = { newPassword: 'second', newKey: false };
  const newer = (from: World): World =>
    world({ backend: from.backend, credentials: { kind: 'password', password: 'second' }, machine: 'b' });

  test.each([
    ['the vault is removed', (objects: Backend) => objects.remove(vaultName)],
    ['the vault is cut off', (objects: Backend) => put(objects, vaultName, 'x')],
    ['the vault stays', () => Promise.resolve()],
  ])('a backup that began before it does not make its own the newest again: %s', async (_, happen) => {
    const memory = memoryBackend();
    const folder = smallFolder();
    await world({ backend: memory }).backup(folder, { server: 'one' });
    const slow = halting(memory, (key) => key.endsWith('.holdfast'));
    const backup = world({ backend: slow.backend }).backup(folder, { server: 'one', force: true, whole: 'always' });
    await slow.reached;
    const a = world({ backend: memory });
    await a.engine.changePassword(a.destination, second, {});
    const b = newer(a);
    await b.backup(folder, { server: 'two' });
    const vault = await vaultOf(memory);
    await happen(memory);
    slow.go();
    await backup;
    expect((await vaultOf(memory)).equals(vault)).toBe(true);
    expect((await rows(b)).map(({ complete }) => complete)).toEqual([true, true, true]);
    expect((await fault(rows(a))).message).toContain('has been changed');
  });

  /** Changes it as soon as a manifest is read, which is when the other is looking through the objects. */
  function changingAtARead(one: World): Backend {
    let change: Promise<unknown> | undefined;
    return {
      ...one.backend,
      async read(key, options) {
        if (key.endsWith('.manifest')) await (change ??= one.engine.changePassword(one.destination, second, {}));
        return one.backend.read(key, options);
      },
    };
  }

  test('who is mending the vault then leaves it, and is told', async () => {
    const one = world();
    await craftSnapshot(one);
    const vault = await vaultOf(one.backend);
    await put(one.backend, vaultName, Buffer.concat([vault, Buffer.from('garbage')]));
    const mending = world({ backend: changingAtARead(one), machine: 'c' });
    expect((await fault(mending.backup(smallFolder(), { server: 'three' }))).message).toContain('has been changed');
    expect((await rows(newer(one))).map(({ complete }) => complete)).toEqual([true]);
  });

  test('who is changing it too is told, and changes nothing', async () => {
    const one = world();
    await craftSnapshot(one);
    const other = world({ backend: changingAtARead(one), machine: 'c' });
    const refused = await fault(other.engine.changePassword(other.destination, { newPassword: 'third', newKey: true }, {}));
    expect([refused.code, refused.message]).toEqual(['locked', expect.stringContaining('meanwhile')]);
    expect(await rows(newer(one))).toMatchObject([{ complete: true }]);
  });
});

describe('the recovery kit', () => {
  test('holds settings, vault and steps, the recovery key only when asked for, never the password', async () => {
    const one = world();
    await craftSnapshot(one);
    const plain = kitText(await one.engine.kit(one.destination, { recoveryKey: false }, {}));
    expect(plain).toContain('provider: memory');
    expect(plain).not.toMatch(/HFRK1-[A-Z2-7]{5}-/);
    expect(plain).not.toContain(password);
    const base64 = /worth nothing without the password\)\n([\s\S]*?)\n\n/.exec(plain)?.[1] ?? '';
    expect(Buffer.from(base64.replace(/\s/g, ''), 'base64').equals(await vaultOf(one.backend))).toBe(true);
    expect(kitText(await one.engine.kit(one.destination, { recoveryKey: true }, {}))).toMatch(/HFRK1-[A-Z2-7-]{60,}/);
  });

  test('the opener on its last page opens an archive, with nothing of ours', async () => {
    const one = world();
    const folder = smallFolder();
    const { archives } = await one.backup(folder);
    const kit = kitText(await one.engine.kit(one.destination, { recoveryKey: false }, {}));
    const place = tempFolder();
    writeFileSync(join(place, 'open.py'), kit.slice(kit.lastIndexOf('─\n') + 2));
    const objects = await contents(one.backend);
    writeFileSync(join(place, 'a.holdfast'), objects.get(archives[0] ?? '') ?? '');
    writeFileSync(join(place, 'password'), password);
    execFileSync('python3', ['open.py', 'a.holdfast', '-o', 'a.zip', '--password-file', 'password'], { cwd: place, stdio: 'pipe' });
    execFileSync('python3', ['-c', 'import zipfile,sys; zipfile.ZipFile("a.zip").extractall("out")'], { cwd: place });
    expect(readdirSync(join(place, 'out'))).toEqual(['world.dat']);
    expect(readFileSync(join(place, 'out', 'world.dat'), 'utf8')).toBe('blocks');
  });
});

test('the steps of a kit open what is older than the password, by password and by recovery key', async () => {
  const old = world();
  const { archives } = await old.backup(smallFolder());
  await old.engine.changePassword(old.destination, { newPassword: 'second', newKey: false }, {});
  const now = world({ backend: old.backend, credentials: { kind: 'password', password: 'second' } });
  const kit = kitText(await now.engine.kit(now.destination, { recoveryKey: true }, {}));
  const place = tempFolder();
  writeFileSync(join(place, 'open.py'), kit.slice(kit.lastIndexOf('─\n') + 2));
  const base64 = /worth nothing without the password\)\n([\s\S]*?)\n\n/.exec(kit)?.[1] ?? '';
  writeFileSync(join(place, 'holdfast.vault'), Buffer.from(base64.replace(/\s/g, ''), 'base64'));
  writeFileSync(join(place, 'SNAPSHOT.holdfast'), (await contents(old.backend)).get(archives[0] ?? '') ?? '');
  writeFileSync(join(place, 'password'), 'second');
  const steps = [...kit.matchAll(/python3 (open\.py SNAPSHOT\.holdfast .*?-o out\.zip)/g)].map((match) => (match[1] ?? '').split(' '));
  expect(steps.map((step) => step.includes('--recovery-key'))).toEqual([false, true]);
  const key = /^ {2}(HFRK1-[A-Z2-7-]{60,})$/m.exec(kit)?.[1] ?? '';
  for (const [index, step] of steps.entries()) {
    const args = step.map((word) => (word === 'HFRK1-...' ? key : word === 'out.zip' ? `${index}.zip` : word));
    const typed = step.includes('--recovery-key') ? [] : ['--password-file', 'password'];
    execFileSync('python3', [...args, ...typed], { cwd: place, stdio: 'pipe' });
    execFileSync('python3', ['-c', `import zipfile; zipfile.ZipFile("${index}.zip").extractall("out${index}")`], { cwd: place });
    expect(readFileSync(join(place, `out${index}`, 'world.dat'), 'utf8')).toBe('blocks');
  }
});

test('a classic file whose reading fails leaves no spool behind', async () => {
  const calls: string[] = [];
  const openSpool = (): WritableSpool => {
    const spool = world().host.openSpool();
    calls.push('opened');
    return {
      get size() {
        return spool.size;
      },
      append: (bytes) => spool.append(bytes),
      read: () => spool.read(),
      dispose: async () => {
        calls.push('disposed');
        await spool.dispose();
      },
    };
  };
  const { engine } = world({ host: { openSpool } });
  const breaking = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1000);
    throw new Error('the disk is gone');
  };
  await expect(engine.openFile(breaking(), { credentials: { kind: 'password', password } }, {})).rejects.toThrow('the disk is gone');
  expect(calls).toEqual(['opened', 'disposed']);
});

test('a destination that holds only what is not ours gets a vault, and keeps it all', async () => {
  const one = world();
  await put(one.backend, 'photos/cat.jpg', 'meow');
  await put(one.backend, 'survival/readme.txt', 'mine');
  expect((await fault(rows(one))).code).toBe('not-found');
  await craftSnapshot(one);
  expect(await keysOf(one.backend)).toEqual(expect.arrayContaining(['photos/cat.jpg', 'survival/readme.txt', vaultName]));
});
