import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runWith } from '../support/cli-host.ts';
import { flipped } from '../support/damage.ts';
import { contents, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

let one: World;
let id = '';
let folder = '';

/** What somebody has fetched of a destination. */
beforeEach(async () => {
  const [source, password] = [tempFolder(), 'a long enough password'];
  for (const name of ['one', 'two', 'three']) writeFileSync(join(source, name), randomBytes(700_000));
  one = world({ credentials: { kind: 'password', password } });
  ({ id } = await one.backup(source, { volumeSize: 2 ** 20 }));
  folder = tempFolder();
  mkdirSync(join(folder, 'survival'));
  for (const [key, bytes] of await contents(one.backend)) writeFileSync(join(folder, key), bytes);
});

const inFolder = (ending: string): string => join(folder, 'survival', `${id}${ending}`);

async function open(
  ending: string,
): Promise<{ exitCode: number; value: { warnings?: readonly { code: string }[]; fault?: { message: string } } }> {
  const { exitCode, stdout } = await runWith(['open', inFolder(ending), '-o', join(folder, 'out'), '--json'], {
    env: { HOLDFAST_PASSWORD: 'a long enough password' },
    engine: one.engine,
  });
  return { exitCode, value: JSON.parse(stdout) as Awaited<ReturnType<typeof open>>['value'] };
}

describe('holdfast open, where the manifest lies beside the archive', () => {
  it.each(['.holdfast', '.002.holdfast'])('takes %s for what it is when the manifest says so too', async (ending) => {
    expect(await open(ending)).toMatchObject({ exitCode: 0, value: { warnings: [] } });
  });

  it('calls one volume in the place of another, with its own checksum file, no volume of the snapshot, and leaves nothing', async () => {
    const line = readFileSync(inFolder('.002.holdfast.sha256'), 'utf8');
    renameSync(inFolder('.002.holdfast'), inFolder('.holdfast'));
    writeFileSync(inFolder('.holdfast.sha256'), line.replace('.002.holdfast', '.holdfast'));
    const { exitCode, value } = await open('.holdfast');
    expect([exitCode, value.fault?.message]).toEqual([13, `${inFolder('.holdfast')} is not the file that ${id}.manifest speaks of`]);
    expect(existsSync(join(folder, 'out'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['holdfast.vault', 'survival']);
  });

  it('compares with the manifest though there is no checksum file', async () => {
    rmSync(inFolder('.holdfast.sha256'));
    expect(await open('.holdfast')).toMatchObject({ exitCode: 3, value: { warnings: [{ code: 'checksum-missing' }] } });
    rmSync(join(folder, 'out'));
    renameSync(inFolder('.002.holdfast'), inFolder('.holdfast'));
    expect((await open('.holdfast')).exitCode).toBe(13);
  });

  it('warns of a manifest that cannot be read, and asks for none', async () => {
    const manifest = inFolder('.manifest');
    const bytes = readFileSync(manifest);
    writeFileSync(manifest, flipped(bytes, bytes.length - 1));
    expect(await open('.holdfast')).toMatchObject({ exitCode: 3, value: { warnings: [{ code: 'manifest' }] } });
    rmSync(join(folder, 'out'));
    rmSync(manifest);
    expect(await open('.holdfast')).toMatchObject({ exitCode: 0, value: { warnings: [] } });
  });
});
