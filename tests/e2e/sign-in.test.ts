import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sealedFileKeychain } from '../../main/adapters/keychain/sealed-file.ts';
import { startDropboxServer } from '../support/clouds/dropbox/server.ts';
import { startDriveServer } from '../support/clouds/google-drive/server.ts';
import { otherClient, startOAuthServer, testClient, type OAuthServer } from '../support/clouds/oauth/server.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { appears, hrefIn } from '../support/link-page.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';

const clouds = [
  {
    name: 'google-drive',
    endpoint: 'HOLDFAST_GOOGLE_ENDPOINT',
    id: 'HOLDFAST_GOOGLE_CLIENT_ID',
    secret: 'HOLDFAST_GOOGLE_CLIENT_SECRET',
    refresh: 'HOLDFAST_GOOGLE_REFRESH_TOKEN',
  },
  {
    name: 'dropbox',
    endpoint: 'HOLDFAST_DROPBOX_ENDPOINT',
    id: 'HOLDFAST_DROPBOX_APP_KEY',
    secret: 'HOLDFAST_DROPBOX_APP_SECRET',
    refresh: 'HOLDFAST_DROPBOX_REFRESH_TOKEN',
  },
] as const;

describe.each(clouds)('signing in with $name, and using it', ({ name, endpoint, id, secret, refresh }) => {
  const base = mkdtempSync(join(tmpdir(), `holdfast-sign-in-${name}-`));
  const shown = join(base, 'shown');
  let oauth: OAuthServer;
  let front: Server;
  let address = '';
  let closeCloud: () => Promise<void>;
  let tellsNoAccount = false;

  beforeAll(async () => {
    for (const folder of ['world', 'cloud', 'bin', 'shown']) mkdirSync(join(base, folder));
    writeFileSync(join(base, 'world', 'level.dat'), 'blocks');
    // The system's browser of this test: writes down what it was asked to show.
    writeFileSync(
      join(base, 'bin', 'xdg-open'),
      `#!/bin/sh\nprintf '%s' "$*" > '${shown}/link.new'; mv '${shown}/link.new' '${shown}/link'\n`,
    );
    chmodSync(join(base, 'bin', 'xdg-open'), 0o755);
    oauth = await startOAuthServer();
    const cloud = await (name === 'dropbox' ? startDropboxServer : startDriveServer)({ folder: join(base, 'cloud'), authority: oauth });
    closeCloud = () => cloud.close();
    front = createServer((request: IncomingMessage, response: ServerResponse) => {
      if (tellsNoAccount && /\/(about|get_current_account)\b/.test(request.url ?? '')) response.writeHead(503).end();
      else if (!oauth.handle(request, response)) cloud.handle(request, response);
    });
    address = `http://127.0.0.1:${await listening(front)}`;
  });
  afterAll(async () => {
    await closed(front);
    await closeCloud();
    await oauth.close();
    rmSync(base, { recursive: true, force: true });
  });

  function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
    return runCli(args, {
      cwd: base,
      env: {
        PATH: `${join(base, 'bin')}:${process.env['PATH'] ?? ''}`,
        HOLDFAST_PASSWORD: 'correct horse battery',
        HOLDFAST_STATE_DIR: join(base, 'state'),
        HOLDFAST_CONFIG_DIR: join(base, 'config'),
        HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame',
        [endpoint]: address,
        ...env,
      },
    });
  }

  async function json<T>(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<T> {
    const { code, stdout, stderr } = await run([...args, '--json'], env);
    expect([code, code === 0 ? '' : stderr + stdout]).toEqual([0, '']);
    return JSON.parse(stdout) as T;
  }

  /** What the browser was asked to show next. */
  async function nextLink(): Promise<string> {
    const link = join(shown, 'link');
    await appears(link);
    const page = readFileSync(link, 'utf8');
    rmSync(link);
    // Arguments are for everybody to read: they name a file of this user, which leads on.
    expect(page).toMatch(/^file:\/\/\/\S+$/);
    return hrefIn(readFileSync(fileURLToPath(page), 'utf8'));
  }

  /** `meanwhile` is done while the person is at the browser. */
  async function signIn(
    env: Readonly<Record<string, string>> = {},
    words: readonly string[] = [],
    meanwhile: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<CliRun> {
    const running = run(['destination', 'sign-in', 'home', ...words], env);
    const link = await nextLink();
    await meanwhile();
    await fetch(link);
    return await running;
  }

  type Kept = { destinations: { home?: { settings: Record<string, string>; signedInAt: number; refreshedAt?: number } } };
  const kept = (): Kept => JSON.parse(readFileSync(join(base, 'config', 'config.json'), 'utf8')) as Kept;
  const [clientName, secretName] = name === 'dropbox' ? ['appKey', 'appSecret'] : ['clientId', 'clientSecret'];

  async function keptSecrets(): Promise<Readonly<Record<string, string | null>>> {
    const keychain = sealedFileKeychain({ path: join(base, 'config', 'keys.sealed'), passphrase: () => Promise.resolve('open sesame') });
    const names = await keychain.names();
    return Object.fromEntries(await Promise.all(names.map(async (one) => [one, await keychain.get(one)] as const)));
  }

  test('without a client id it is said where one comes from', async () => {
    expect((await run(['destination', 'add', 'home', `${name}:Backups/home`])).stderr).toContain('destination sign-in home');
    const { code, stderr } = await run(['destination', 'sign-in', 'home']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`docs/setup/${name}.md`))]);
    const early = await run(['snapshots', '-d', 'home'], { [id]: testClient.id });
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('destination sign-in home')]);
  });

  test('the browser opens, comes back, and the account is shown', async () => {
    const { code, stdout, stderr } = await signIn({ [id]: testClient.id, [secret]: testClient.secret });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Signed in for home: person@example.org, .* of .* used\.\n$/)]);
    expect(stderr).toContain('Your browser opens');
  });

  test('test, backup, snapshots, verify, restore and prune, with what was kept', async () => {
    const checks = await json<readonly { name: string; ok: boolean; message: string }[]>(['destination', 'test', 'home']);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    const first = await json<{ id: string }>(['backup', join(base, 'world'), '-d', 'home']);
    oauth.expire();
    writeFileSync(join(base, 'world', 'level.dat'), 'more blocks');
    const second = await json<{ id: string }>(['backup', join(base, 'world'), '-d', 'home']);
    expect(await json<readonly unknown[]>(['snapshots', '-d', 'home'])).toHaveLength(2);
    expect(await json(['verify', 'all', '-d', 'home'])).toMatchObject({ damage: [] });
    await json(['restore', first.id, '-d', 'home', '--target', join(base, 'back')]);
    expect(readFileSync(join(base, 'back', 'level.dat'), 'utf8')).toBe('blocks');
    expect(await json(['prune', '-d', 'home', '--server', 'world', '--keep-last', '1'])).toMatchObject({ remove: [{ id: first.id }] });
    expect(await json(['snapshots', '-d', 'home'])).toMatchObject([{ id: second.id }]);
    // By its address, with the token from the environment, it is the same place.
    const env = { [id]: testClient.id, [refresh]: oauth.issue() };
    expect(await json(['snapshots', '-d', `${name}:Backups/home`], env)).toMatchObject([{ id: second.id }]);
  });

  test('holdfast test by address: right, with another client, and with a sign-in that has ended, each says what it is', async () => {
    const words = ['test', `${name}:Backups/home`];
    const env = { [id]: testClient.id, [secret]: testClient.secret, [refresh]: oauth.issue() };
    const right = await run(words, env);
    expect([right.code, right.stderr, right.stdout]).toEqual([
      0,
      '',
      expect.stringMatching(/✓ space: .*The destination can be used\.\n$/s),
    ]);
    const label = name === 'dropbox' ? 'Dropbox' : 'Google';
    for (const [change, says] of [
      [{ [id]: 'another-client' }, `${label} refused the client id or its settings (invalid_client)`],
      [{ [refresh]: 'ended' }, `${label} does not know this sign-in any more (invalid_grant)`],
    ] as const) {
      const { code, stdout } = await run(words, { ...env, ...change });
      expect([code, stdout]).toEqual([1, expect.stringContaining(says)]);
      expect(stdout).toMatch(new RegExp(`Next: .*docs/setup/${name}\\.md.*The destination cannot be used as it is`, 's'));
    }
  });

  test('that a sign-in with Google lasts longer than a week is kept beside the destination', async () => {
    const settings = kept();
    if (settings.destinations.home !== undefined) settings.destinations.home.signedInAt -= 8 * 86_400_000;
    writeFileSync(join(base, 'config', 'config.json'), JSON.stringify(settings));
    const before = Date.now();
    await json(['destination', 'test', 'home']);
    const refreshedAt = kept().destinations.home?.refreshedAt;
    if (name === 'dropbox') expect(refreshedAt).toBeUndefined();
    else expect(refreshedAt).toBeGreaterThanOrEqual(before);
    await json(['destination', 'test', 'home']);
    expect(kept().destinations.home?.refreshedAt).toBe(refreshedAt);
  });

  test('a sign-in that was revoked is said; signing in again brings everything back', async () => {
    oauth.revoke();
    const { code, stderr } = await run(['snapshots', '-d', 'home']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Next: Sign in again/)]);
    expect((await signIn()).code).toBe(0);
    expect(await json<readonly unknown[]>(['snapshots', '-d', 'home'])).toHaveLength(1);
  });

  test('an account that does not tell whose it is does not make a failure of a sign-in that is kept', async () => {
    oauth.revoke();
    tellsNoAccount = true;
    const { code, stdout, stderr } = await signIn();
    tellsNoAccount = false;
    expect([code, stdout, stderr]).toEqual([
      0,
      'Signed in for home.\n',
      expect.stringMatching(/did not tell whose it is .*destination test home/),
    ]);
    expect(await json<readonly unknown[]>(['snapshots', '-d', 'home'])).toHaveLength(1);
  });

  test('a person who says no changes nothing', async () => {
    oauth.refuses = true;
    const { code, stderr } = await signIn();
    oauth.refuses = false;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/not allowed.*\nNext: /s)]);
    expect(await json<readonly unknown[]>(['snapshots', '-d', 'home'])).toHaveLength(1);
  });

  test('another client is not joined with the secret of the one before, which stays while the sign-in fails and goes when it worked', async () => {
    const secretOf = async (): Promise<unknown> => (await keptSecrets())[`destination/home/${secretName}`];
    // Of the client before, by name: it is not this one's either.
    const env = { [id]: testClient.id, [secret]: testClient.secret };
    const before = [kept().destinations.home?.settings, await keptSecrets()];
    expect(await secretOf()).toBe(testClient.secret);
    oauth.refuses = true;
    expect((await signIn(env, ['--client-id', otherClient.id])).code).toBe(1);
    oauth.refuses = false;
    expect([kept().destinations.home?.settings, await keptSecrets()]).toEqual(before);

    oauth.forms.length = 0;
    const { code, stderr } = await signIn(env, ['--client-id', otherClient.id]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Your browser opens')]);
    expect(oauth.forms.map((form) => [form.get('client_id'), form.get('client_secret')])).toContainEqual([otherClient.id, null]);
    expect([kept().destinations.home?.settings[clientName], await secretOf()]).toEqual([otherClient.id, undefined]);
    expect(await json<readonly unknown[]>(['snapshots', '-d', 'home'])).toHaveLength(1);
    expect((await signIn(env, ['--client-id', testClient.id])).code).toBe(0);
    expect([kept().destinations.home?.settings[clientName], await secretOf()]).toEqual([testClient.id, testClient.secret]);
  });

  test('no token, secret or passphrase stands in what is kept or printed, nor in any address', async () => {
    const outputs = [await run(['destination', 'list', '--json']), await run(['destination', 'test', 'home']), await signIn()];
    const files = ['config', 'state'].flatMap((folder) =>
      readdirSync(join(base, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    );
    const everything = Buffer.concat([
      ...files,
      ...outputs.map(({ stdout, stderr }) => Buffer.from(stdout + stderr)),
      Buffer.from(oauth.addresses.join('\n')),
    ]);
    expect(oauth.forms.length).toBeGreaterThan(5);
    for (const planted of ['planted', 'open sesame', 'correct horse'])
      expect([planted, everything.includes(planted)]).toEqual([planted, false]);
  });

  test('what is changed while the person is at the browser stays changed', async () => {
    const moved = ['destination', 'edit', 'home', `${name}:Backups/elsewhere`];
    const { code } = await signIn({}, [], async () => expect((await run(moved)).code).toBe(0));
    expect([code, kept().destinations.home?.settings['folder']]).toEqual([0, 'Backups/elsewhere']);
  });

  test('one that is removed meanwhile does not come back, nor does any of its secrets', async () => {
    const { code, stderr } = await signIn({}, [], async () => expect((await run(['destination', 'remove', 'home'])).code).toBe(0));
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining('there is no backup place called home')]);
    expect(code).not.toBe(0);
    expect([kept().destinations.home, await keptSecrets()]).toEqual([undefined, {}]);
  });
});
