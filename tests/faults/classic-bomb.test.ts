import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { recoveryKeyOf, world } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

/** Classic files that are made to take the room of whoever opens them. */

const canMount = spawnSync('unshare', ['-Urm', 'true']).status === 0;
const support = (name: string): string => new URL(`../support/${name}`, import.meta.url).href;

test.skipIf(!canMount)(
  'one that expands without end stops before the temporary folder is full, and leaves nothing there or in the target',
  () => {
    const place = tempFolder();
    const script = `
    import { createHash, randomBytes } from 'node:crypto';
    import { readdirSync, statfsSync } from 'node:fs';
    import { nativeZstd } from '${new URL('../../main/adapters/compute/zstd.ts', import.meta.url).href}';
    import { ClassicSealer, newClassicKey } from '${new URL('../../main/engine/archive/classic.ts', import.meta.url).href}';
    import { craftSnapshot } from '${support('craft-snapshot.ts')}';
    import { password, put, world } from '${support('engine-on-memory.ts')}';
    const one = world();
    await craftSnapshot(one, { slug: 'first', server: 'first' });
    // 2 GiB of what begins as a ZIP does, in 100 KB.
    const frame = nativeZstd.compress(Buffer.concat([Buffer.from('PK\\x03\\x04', 'latin1'), Buffer.alloc(2 ** 20 - 4)]));
    const sealer = new ClassicSealer(await newClassicKey(password, { bytes: (length) => randomBytes(length) }));
    const bomb = Buffer.concat([sealer.head(), sealer.update(Buffer.concat(Array.from({ length: 2048 }, () => frame))), sealer.end()]);
    const name = '20261101T000000Z-aaaaaa.zip.zst.enc';
    await put(one.backend, 'bomb/' + name, bomb);
    await put(one.backend, 'bomb/' + name + '.sha256', createHash('sha256').update(bomb).digest('hex') + '  ' + name + '\\n');
    const free = () => statfsSync(process.env.TMPDIR).bavail;
    const before = free();
    const faults = [];
    for (const act of [() => one.restore('${place}/target', { server: 'bomb' }), () => one.verify({ server: 'bomb' })]) {
      const { code, context } = await act().catch((reason) => reason);
      faults.push({ code, folder: context.folder, written: context.writtenBytes, reserved: context.reservedBytes, next: context.next, lost: before - free() });
    }
    process.stdout.write(JSON.stringify({ faults, target: readdirSync('${place}').includes('target') }));
  `;
    writeFileSync(join(place, 'run.mjs'), script);
    mkdirSync(join(place, 'disk'));
    const run = spawnSync(
      'unshare',
      ['-Urm', 'sh', '-c', `mount -t tmpfs -o size=48m none ${place}/disk && exec ${process.execPath} ${place}/run.mjs`],
      { encoding: 'utf8', env: { ...process.env, TMPDIR: `${place}/disk` } },
    );
    const { faults, target } = JSON.parse(run.stdout === '' ? `{"faults":${JSON.stringify(run.stderr)}}` : run.stdout) as {
      faults: readonly { written: number; reserved: number }[];
      target: boolean;
    };
    const fault = {
      code: 'disk-full',
      folder: `${place}/disk`,
      written: expect.any(Number),
      reserved: expect.any(Number),
      next: expect.stringMatching(/TMPDIR.*remove that snapshot/),
      lost: 0,
    };
    expect({ faults, target }).toEqual({ faults: [fault, fault], target: false });
    for (const { written, reserved } of faults) {
      expect(reserved).toBeGreaterThan(4 * 2 ** 20);
      // All that may be taken is taken: what is honest and just fits comes through.
      expect(written + reserved).toBeGreaterThan(40 * 2 ** 20);
      expect(written + reserved).toBeLessThanOrEqual(48 * 2 ** 20);
    }
  },
);

/** What a listing says is one byte less than what comes. */
function understating(inner: Backend): Backend {
  return {
    ...inner,
    async *list(prefix, options) {
      for await (const info of inner.list(prefix, options)) yield info.key.endsWith('.enc') ? { ...info, size: info.size - 1 } : info;
    },
  };
}

test('one of which more comes than is listed is damage, for restore and for verify, with its password and without', async () => {
  const root = tempFolder();
  mkdirSync(join(root, 'source'));
  writeFileSync(join(root, 'source', 'level.dat'), 'blocks');
  const backend = memoryBackend();
  await world({ backend }).backup(join(root, 'source'), { format: 'classic' });
  const one = world({ backend: understating(backend) });
  const was = treeDigest(root);
  await expect(one.restore(join(root, 'target'))).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('more than') });
  expect(treeDigest(root)).toBe(was);
  const damage = { kind: 'corrupt', object: expect.stringMatching(/enc$/), message: expect.stringContaining('more than') };
  expect((await one.verify()).damage).toContainEqual(expect.objectContaining(damage));
  // With a recovery key nothing of a classic file is opened, and its bytes are hashed all the same.
  const keyed = world({ backend: understating(backend), credentials: await recoveryKeyOf(world({ backend })) });
  expect((await keyed.verify()).damage).toContainEqual(expect.objectContaining(damage));
});
