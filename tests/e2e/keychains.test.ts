import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { machineKey } from '../../main/adapters/keychain/machine-key.ts';
import { lookAtSecretService, type KeyringLook } from '../../main/adapters/keychain/secret-service.ts';
import { systemKeyring, type Keyring } from '../../main/adapters/keychain/system-keyring.ts';
import { withCredentials } from '../../main/adapters/keychain/credentials.ts';
import { sealedFileKeychain } from '../../main/adapters/keychain/sealed-file.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { inKeyringSession, keyringMissing, lockKeyring } from '../support/keyring-session.ts';
import { holdfast } from '../support/run-cli.ts';
import { filesIn, ServiceHome, testPassword } from '../support/service-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const driver = fileURLToPath(new URL('../support/keyring-driver.ts', import.meta.url));
const lockedDriver = fileURLToPath(new URL('../support/keyring-locked.ts', import.meta.url));

describe.skipIf(keyringMissing !== '')(`the keyring of a desktop${keyringMissing === '' ? '' : ` (${keyringMissing})`}`, () => {
  test('keeps, gives back, lists and forgets', async () => {
    const { stdout, code } = await inKeyringSession(tempFolder(), `exec ${process.execPath} ${driver}`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      { kind: 'system', strong: true, locked: false, says: 'in the Secret Service keyring of this user' },
      'a planted secret',
      'zwölf €',
      null,
      ['destination/one/key', 'destination/two/key'],
      null,
      ['destination/two/key'],
    ]);
  });

  test('one that is locked later on is locked, not empty, and does not end the process; nobody is prompted', async () => {
    const script = `${process.execPath} ${driver} && ${lockKeyring} && exec ${process.execPath} ${driver}`;
    const { stdout, stderr, code } = await inKeyringSession(tempFolder(), script);
    const [, locked = ''] = stdout.split('\n');
    expect([code, JSON.parse(locked)]).toEqual([
      0,
      [
        { kind: 'system', strong: true, locked: true, says: 'in the Secret Service keyring of this user' },
        { code: 'locked', persistence: 'temporary', keychain: 'system' },
      ],
    ]);
    expect(stderr).not.toContain('SystemPrompter');
  });

  test('locked, it is said to be, and ends no process, whether the bus tells or not', async () => {
    const { stdout, code } = await inKeyringSession(tempFolder(), `exec ${process.execPath} ${lockedDriver}`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(['locked', 'locked', 'locked', true, 'locked', 'locked', 'locked', true]);
  });

  test('without a session it is locked, which passes; never an empty answer', async () => {
    const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
    const { stdout } = await inKeyringSession(
      tempFolder(),
      `unset DISPLAY; DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent exec ${process.execPath} ${driver}`,
      env,
    );
    expect(JSON.parse(stdout)).toEqual([
      { kind: 'system', strong: true, locked: true, says: 'in the Secret Service keyring of this user' },
      { code: 'locked', persistence: 'temporary', keychain: 'system' },
    ]);
  });

  test('secrets move there and back, work from there, and leave nothing behind; without it a server is paused and says why', async () => {
    const home = new ServiceHome();
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp();
    const h = `${process.execPath} ${holdfast}`;
    const script = `set -e
      ${h} keychain use system --json
      ${h} server backup survival --json`;
    const moved = await inKeyringSession(home.base, script, { ...home.env, HOLDFAST_PASSWORD: '' });
    expect(moved.code).toBe(0);
    expect(moved.stdout).toContain('"state":"done"');
    expect(JSON.parse(readFileSync(join(home.config, 'config.json'), 'utf8'))).toMatchObject({ keychain: 'system' });

    const without = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent', HOLDFAST_PASSWORD: '' };
    const run = await home.run(['server', 'backup', 'survival', '--force', '--json'], without);
    expect([run.code, run.stdout.includes('"code":"locked"')]).toEqual([11, true]);
    expect(await home.json(['server', 'show', 'survival'], without)).toMatchObject({
      state: 'paused',
      why: expect.stringContaining('locked') as string,
    });

    const back = await inKeyringSession(home.base, `${h} keychain use machine-key --yes --json`, home.env);
    expect(back.code).toBe(0);
    expect(await home.json(['server', 'backup', 'survival', '--force'])).toMatchObject({ state: 'done' });
  });
});

test('a keyring that is locked while it is asked has no answer, rather than none', async () => {
  const looks = [false, true];
  const keyring = {
    getPassword: () => Promise.resolve(null),
    setPassword: () => Promise.resolve(),
    deletePassword: () => Promise.resolve(false),
    findCredentials: () => Promise.reject(new Error('it may end the process')),
  };
  const look = (): Promise<KeyringLook> => Promise.resolve({ locked: looks.shift() ?? false, names: () => Promise.resolve(['a']) });
  const keychain = systemKeyring('Holdfast', () => Promise.resolve(keyring), look);
  expect(await codeOf(keychain.get('a'))).toBe('locked');
  expect(await keychain.get('a')).toBe(null);
  expect([await keychain.names(), (await keychain.describe()).locked]).toEqual([['a'], false]);
});

test.each([
  [false, [['/org/x/1'], []], false],
  [true, [[], []], true],
  // Kept before another collection became the default one.
  [false, [['/org/x/1'], ['/org/x/2']], true],
  [null, [[], []], false],
  [null, null, undefined],
])('what the bus says of the keyring: %j and %j', async (collection, items, locked) => {
  const answer = (data: unknown): Promise<string> =>
    data === null ? Promise.reject(new Error('no bus')) : Promise.resolve(JSON.stringify({ data }));
  const look = await lookAtSecretService('Holdfast', ([verb]) => answer(verb === 'call' ? items : collection));
  expect(look?.locked).toBe(locked);
});

test('a move that the keyring breaks off leaves every secret where it was', async () => {
  const kept = new Map<string, string>();
  let left = 1;
  const ring = (): Promise<Keyring> =>
    Promise.resolve({
      getPassword: (_service, account) => Promise.resolve(kept.get(account) ?? null),
      setPassword: (_service, account, password) => {
        if (left === 0 && password !== 'old') return Promise.reject(new Error('it was locked meanwhile'));
        left -= 1;
        kept.set(account, password);
        return Promise.resolve();
      },
      deletePassword: (_service, account) => Promise.resolve(kept.delete(account)),
      findCredentials: () => Promise.resolve([...kept].map(([account, password]) => ({ account, password }))),
    });
  const keychain = systemKeyring('Holdfast', ring, () =>
    Promise.resolve({ locked: false, names: () => Promise.resolve([...kept.keys()]) }),
  );
  kept.set('a', 'old');
  expect(await codeOf(keychain.set({ a: 'new', b: 'new' }))).toBe('locked');
  expect([kept.get('a'), kept.get('b')]).toEqual(['old', undefined]);
});

test('the machine key is made once, also by many at once, for this user only, and never replaced', async () => {
  const path = join(tempFolder(), 'machine.key');
  const keys = await Promise.all(Array.from({ length: 20 }, () => machineKey(path, true)));
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, 'something else');
  expect(await codeOf(machineKey(path, true))).toBe('config-invalid');
  expect(await codeOf(machineKey(join(tempFolder(), 'gone.key'), false))).toBe('config-invalid');
  expect(readFileSync(path, 'utf8')).toBe('something else');
});

test('a weak keychain needs a yes, and moving to a passphrase takes the weak file’s secrets away', async () => {
  const home = new ServiceHome();
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  const refused = await home.run(['keychain', 'use', 'machine-key']);
  expect([refused.code, refused.stderr.includes('--yes')]).toEqual([2, true]);
  await home.setUp();
  // Sealed at little cost: its key is random.
  expect([...readFileSync(join(home.config, 'keys.machine')).subarray(8, 12)]).toEqual([10, 8, 1, 0]);
  const passphrase = { HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame, please' };
  expect(await home.json(['keychain', 'use', 'sealed-file'], passphrase)).toMatchObject({ kind: 'sealed-file', strong: true });
  const again = await home.run(['keychain', 'use', 'sealed-file'], { HOLDFAST_KEYCHAIN_PASSPHRASE: 'another one, longer' });
  expect([again.code, again.stderr.includes('already')]).toEqual([2, true]);
  expect(await home.json(['server', 'backup', 'survival'], { ...passphrase, HOLDFAST_PASSWORD: '' })).toMatchObject({ state: 'done' });
  const locked = await home.run(['server', 'backup', 'survival', '--force', '--json'], { HOLDFAST_PASSWORD: '' });
  expect([locked.code, locked.stdout.includes('HOLDFAST_KEYCHAIN_PASSPHRASE_FILE')]).toEqual([11, true]);
  const wrong = await home.run(['server', 'backup', 'survival', '--force'], { HOLDFAST_KEYCHAIN_PASSPHRASE: 'open barley' });
  expect(wrong.code).toBe(12);
  for (const file of filesIn(home.config)) expect(readFileSync(file, 'latin1')).not.toContain(testPassword);
});

test('credentials of systemd come first, open the key file, and cannot be changed', async () => {
  const home = new ServiceHome();
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  await home.setUp();
  await home.json(['keychain', 'use', 'sealed-file'], { HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame, please' });
  const credentials = tempFolder();
  writeFileSync(join(credentials, 'holdfast.passphrase'), 'open sesame, please\n');
  const env = { CREDENTIALS_DIRECTORY: credentials, HOLDFAST_PASSWORD: '' };
  expect(await home.json(['server', 'backup', 'survival'], env)).toMatchObject({ state: 'done' });

  writeFileSync(join(credentials, 'holdfast.destination.nas.password'), 'another password');
  const run = await home.run(['server', 'backup', 'survival', '--force'], env);
  expect(run.code).toBe(12);
  const inner = sealedFileKeychain({ path: join(credentials, 'keys'), passphrase: () => Promise.resolve('x') });
  const both = withCredentials(inner, credentials);
  expect(await both.get('destination/nas/password')).toBe('another password');
  expect(await codeOf(both.set({ 'destination/nas/password': 'mine' }))).toBe('config-invalid');
});
