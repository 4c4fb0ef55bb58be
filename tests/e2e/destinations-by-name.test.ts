import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startB2Server, type B2Server } from '../support/clouds/backblaze-b2/server.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';

const base = mkdtempSync(join(tmpdir(), 'holdfast-names-'));
const config = join(base, 'config');
const passphrase = 'the passphrase of the key file';
let b2: B2Server;
let keys: { readonly keyId: string; readonly applicationKey: string };

beforeAll(async () => {
  mkdirSync(join(base, 'world'));
  writeFileSync(join(base, 'world', 'level.dat'), 'blocks');
  mkdirSync(join(base, 'b2'));
  b2 = await startB2Server({ folder: join(base, 'b2') });
  b2.addBucket('my-backups');
  keys = b2.addKey();
});
afterAll(async () => {
  await b2.close();
  rmSync(base, { recursive: true, force: true });
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
  return runCli(args, {
    cwd: base,
    env: {
      HOLDFAST_PASSWORD: 'correct horse battery',
      HOLDFAST_STATE_DIR: join(base, 'state'),
      HOLDFAST_CONFIG_DIR: config,
      HOLDFAST_B2_ENDPOINT: b2.endpoint,
      HOLDFAST_KEYCHAIN_PASSPHRASE: passphrase,
      ...env,
    },
  });
}

async function json<T>(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<T> {
  const { code, stdout, stderr } = await run([...args, '--json'], env);
  expect([code, code === 0 ? '' : stderr + stdout]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

/** Everything that this computer keeps of settings and state. */
function kept(folder: string): Buffer {
  return Buffer.concat(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );
}

describe('destinations by name', () => {
  test('a folder is added without any passphrase, listed, used and removed; what it holds stays', async () => {
    const noPassphrase = { HOLDFAST_KEYCHAIN_PASSPHRASE: '' };
    const added = await run(['destination', 'add', 'disk', 'folder:place'], noPassphrase);
    expect([added.code, added.stdout]).toEqual([0, expect.stringContaining('can be used')]);
    expect(await json(['destination', 'list'], noPassphrase)).toMatchObject([{ name: 'disk', provider: 'folder' }]);
    const { id } = await json<{ id: string }>(['backup', join(base, 'world'), '-d', 'disk'], noPassphrase);
    expect(await json(['snapshots', '-d', 'disk'], noPassphrase)).toMatchObject([{ id }]);
    expect(await json(['snapshots', '-d', 'folder:place'], noPassphrase)).toMatchObject([{ id }]);
    expect(await json(['destination', 'remove', 'disk'], noPassphrase)).toEqual({ name: 'disk', removed: true });
    expect((await run(['snapshots', '-d', 'disk'], noPassphrase)).code).toBe(2);
    expect(await json(['snapshots', '-d', 'folder:place'], noPassphrase)).toMatchObject([{ id }]);
  });

  test('a folder that was made for it is told of, as the disk may not be mounted; one that is there is not', async () => {
    const made = 'has been made';
    expect((await run(['test', 'folder:mnt/nas'])).stderr).toContain(made);
    expect((await run(['test', 'folder:mnt/nas'])).stderr).not.toContain(made);
  });

  test('a name may be a word that every object answers to', async () => {
    expect(await run(['destination', 'add', 'constructor', 'folder:odd', '--no-test'])).toMatchObject({ code: 0 });
    expect(await run(['backup', 'world', '-d', 'constructor'])).toMatchObject({ code: 0 });
    expect((await run(['snapshots', '-d', 'valueof'])).stderr).toContain('There is no destination called valueof');
    expect(await run(['destination', 'remove', 'constructor'])).toMatchObject({ code: 0 });
  });

  test('where its keys cannot be kept, a name is not kept either', async () => {
    const wrong = { HOLDFAST_B2_KEY_ID: keys.keyId, HOLDFAST_B2_APPLICATION_KEY: keys.applicationKey, HOLDFAST_KEYCHAIN_PASSPHRASE: '' };
    expect((await run(['destination', 'add', 'unkept', 'b2:my-backups/home', '--no-test'], wrong)).code).not.toBe(0);
    expect((await json<readonly { name: string }[]>(['destination', 'list'])).map(({ name }) => name)).not.toContain('unkept');
  });

  test('the keys of a cloud come from the environment once, and from the key file afterwards', async () => {
    const given = { B2_APPLICATION_KEY_ID: keys.keyId, B2_APPLICATION_KEY: keys.applicationKey };
    const added = await run(['destination', 'add', 'cloud', 'b2:my-backups/home'], given);
    expect([added.code, added.stdout]).toEqual([0, expect.stringContaining('can be used')]);
    const { id } = await json<{ id: string }>(['backup', join(base, 'world'), '-d', 'cloud']);
    await json(['verify', '-d', 'cloud']);
    await json(['restore', 'latest', '-d', 'cloud', '--target', join(base, 'back')]);
    expect(readFileSync(join(base, 'back', 'level.dat'), 'utf8')).toBe('blocks');
    writeFileSync(join(base, 'world', 'level.dat'), 'more blocks');
    await json(['backup', join(base, 'world'), '-d', 'cloud']);
    expect(await json(['prune', '-d', 'cloud', '--server', 'world', '--keep-last', '1'])).toMatchObject({ remove: [{ id }] });
    expect((await json<unknown[]>(['destination', 'test', 'cloud'])).length).toBeGreaterThan(5);
    // By its address it is the same place.
    expect(await json(['snapshots', '-d', 'b2:my-backups/home'], given)).toHaveLength(1);
  });

  test('no key, passphrase or password stands in any file that is kept, nor in what is printed', async () => {
    const outputs = await Promise.all([
      run(['destination', 'list']),
      run(['destination', 'list', '--json']),
      run(['destination', 'test', 'cloud']),
    ]);
    await json(['kit', '-d', 'cloud', '-o', join(base, 'kit.txt')]);
    const everything = Buffer.concat([
      kept(config),
      kept(join(base, 'state')),
      readFileSync(join(base, 'kit.txt')),
      ...outputs.map(({ stdout, stderr }) => Buffer.from(stdout + stderr)),
    ]);
    for (const secret of [keys.applicationKey, keys.keyId, passphrase, 'correct horse battery'])
      expect(everything.includes(secret)).toBe(false);
    expect(statSync(join(config, 'keys.sealed')).mode & 0o777).toBe(0o600);
    expect(statSync(join(config, 'config.json')).mode & 0o777).toBe(0o600);
  });

  test('a wrong or missing passphrase is said, with what to do', async () => {
    const wrong = await run(['snapshots', '-d', 'cloud'], { HOLDFAST_KEYCHAIN_PASSPHRASE: 'another' });
    expect([wrong.code, wrong.stderr]).toEqual([12, expect.stringMatching(/passphrase does not open.*\nNext: Try the passphrase again/s)]);
    const none = await run(['snapshots', '-d', 'cloud'], { HOLDFAST_KEYCHAIN_PASSPHRASE: '' });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('HOLDFAST_KEYCHAIN_PASSPHRASE')]);
  });

  test('names that are none, taken or unknown, and addresses that cannot be', async () => {
    const refusals: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['destination', 'add', 'Cloud', 'folder:x'], 2, /cannot be a name/],
      [['destination', 'add', 'cloud', 'folder:x'], 1, /already/],
      [['destination', 'add', 'other', '/mnt/x'], 2, /folder:\/mnt\/x/],
      [['destination', 'remove', 'nowhere'], 10, /no backup place called nowhere/],
      [['destination', 'edit', 'cloud', 'folder:x'], 2, /backblaze-b2/],
      [['snapshots', '-d', 'nowhere'], 2, /nowhere.*cloud.*folder:nowhere/],
    ];
    for (const [args, code, says] of refusals) {
      const { code: found, stderr } = await run(args);
      expect([args.join(' '), found, stderr]).toEqual([args.join(' '), code, expect.stringMatching(says)]);
    }
  });

  test('another address of the same cloud, and new keys', async () => {
    const other = b2.addKey();
    b2.removeKey(keys.keyId);
    const refused = await run(['snapshots', '-d', 'cloud']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/Next: /)]);
    await json(['destination', 'edit', 'cloud', '--keys'], {
      B2_APPLICATION_KEY_ID: other.keyId,
      B2_APPLICATION_KEY: other.applicationKey,
    });
    expect(await json(['snapshots', '-d', 'cloud'])).toHaveLength(1);
    const moved = await run(['destination', 'edit', 'cloud', 'b2:my-backups/elsewhere', '--json']);
    expect([JSON.parse(moved.stdout), moved.stderr]).toMatchObject([
      { moved: true },
      expect.stringContaining('my-backups/home stays there'),
    ]);
    expect((await run(['snapshots', '-d', 'cloud'])).code).toBe(10);
  });

  test.each([
    ['HOLDFAST_B2_ENDPOINT', 'cloud', {}],
    ['HOLDFAST_GOOGLE_ENDPOINT', 'google-drive:Backups', { HOLDFAST_GOOGLE_CLIENT_ID: 'id', HOLDFAST_GOOGLE_REFRESH_TOKEN: 'token' }],
    ['HOLDFAST_DROPBOX_ENDPOINT', 'dropbox:Backups', { HOLDFAST_DROPBOX_APP_KEY: 'id', HOLDFAST_DROPBOX_REFRESH_TOKEN: 'token' }],
  ] as const)('with %s an address beyond this computer is not taken for a provider’s', async (variable, place, secrets) => {
    for (const address of ['https://evil.example', 'http://127.0.0.1.evil.example']) {
      const { code, stderr } = await run(['snapshots', '-d', place], { ...secrets, [variable]: address });
      expect([code, stderr]).toEqual([2, expect.stringContaining(`${variable}=${address} is no address of this computer`)]);
    }
  });

  test('an S3 server beyond this computer is used over plain http, with a warning each time; one on it without', async () => {
    const server = createServer((_, response) => response.writeHead(403).end());
    const port = await listening(server);
    const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
    const warning = 'Warning: http://0.0.0.0:PORT is not encrypted: what is stored is sealed, but others on the way can read its names';
    const told = async (args: readonly string[]): Promise<string> => (await run(args, keys)).stderr.replaceAll(String(port), 'PORT');
    // The system takes it for itself, but no rule does that looks at the address alone.
    const beyond = `s3:bucket?endpoint=http://0.0.0.0:${port}`;
    expect(await told(['snapshots', '-d', beyond])).toContain(warning);
    expect(await told(['destination', 'add', 'plain', beyond])).toContain(warning);
    expect(await told(['snapshots', '-d', 'plain'])).toContain(warning);
    expect(await told(['snapshots', '-d', `s3:bucket?endpoint=http://127.0.0.1:${port}`])).not.toContain('not encrypted');
    await closed(server);
  });
});
