import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../main/contract/calls.ts';
import type { ServiceEvent } from '../../main/contract/events.ts';
import type { Job } from '../../main/contract/jobs.ts';
import type { SignIn } from '../../main/contract/sign-in-calls.ts';
import { callService } from '../../main/compose/service/http-client.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { startDriveServer } from '../support/clouds/google-drive/server.ts';
import { startOAuthServer, testClient, type OAuthServer } from '../support/clouds/oauth/server.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { eventAfter, ServiceHome, testPassword, type RunningService } from '../support/service-process.ts';

const endedJob = (event: ServiceEvent): Job | null => (event.event === 'job' && event.data.endedAt !== null ? event.data : null);
const signInOf = (event: ServiceEvent): SignIn | null => (event.event === 'sign-in' ? event.data : null);

describe('what a window needs, over the service of a computer', () => {
  const home = new ServiceHome();
  let service: RunningService;
  let call: Call;
  beforeAll(async () => {
    for (const [name, content] of [
      ['level.dat', 'blocks'],
      ['server.properties', 'level-name=world\n'],
    ] as const)
      writeFileSync(join(home.folder, name), content);
    await home.setUp(['--keep-last', '1']);
    service = await home.start({ HOLDFAST_TEST_SECRET: 'planted-in-the-environment' });
    call = callService(service);
  });

  const backup = async (): Promise<Job> =>
    await eventAfter(service, () => call('backup.start', { slug: 'survival', force: true }), endedJob);

  test('the service says where it is and what its host can do; a headless one refuses the desktop', async () => {
    expect(await call('service.info', {})).toMatchObject({ host: hostname(), features: [], zone: expect.any(String) as string });
    expect(await codeOf(call('host.pickFolder', {}))).toBe('config-invalid');
    expect(await codeOf(call('host.openLink', { link: 'https://example.org' }))).toBe('config-invalid');
    expect(await codeOf(call('host.autostart', { on: true }))).toBe('config-invalid');
  });

  test('a folder is found, looked at, and a password for it judged', async () => {
    const { folders } = await call('folders.list', { path: home.base });
    expect(folders.map(({ name }) => name)).toEqual(expect.arrayContaining(['place', 'srv']));
    expect((await call('folders.list', { path: '' })).path).toBe(home.base);
    expect(await call('folder.look', { path: home.folder })).toMatchObject({ preset: 'minecraft', problem: '', files: 2, whole: true });
    expect((await call('folder.look', { path: home.base })).problem).toContain('lies inside the folder');
    expect((await call('presets.list', {})).map(({ name }) => name)).toEqual(['minecraft', 'steam']);
    expect(await call('password.judge', { password: 'survival1', language: 'de' })).toMatchObject({ score: 1 });
  });

  test('snapshots are searched, compared, and their clean-up shown; the place tells of its servers', async () => {
    const first = await backup();
    writeFileSync(join(home.folder, 'level.dat'), 'more blocks');
    const second = await backup();
    const place = { slug: 'survival', destination: 'nas' };
    const latest = { ...place, snapshot: 'latest' };
    expect(await call('snapshot.search', { ...latest, text: 'LEVEL', limit: 5 })).toMatchObject({
      ...{ entries: [{ path: 'level.dat', size: 11 }], more: false },
    });
    expect(await call('snapshot.changes', { ...latest, limit: 5 })).toMatchObject({ before: null, created: 2 });
    expect([first.state, second.state]).toEqual(['done', 'done']);
    expect(await call('cleanup.preview', place)).toMatchObject({ keep: [{ id: second.snapshot }], remove: [] });
    expect(await call('destination.servers', { name: 'nas' })).toMatchObject([
      { slug: 'survival', name: 'Survival', snapshots: 1, here: true, newest: { id: second.snapshot, files: 2 } },
    ]);
    expect(await call('destination.account', { name: 'nas' })).toEqual({ account: null });
  });

  test('a restore is looked at before, taken back, and brought again', async () => {
    const target = join(home.base, 'back');
    expect(await call('restore.look', { target })).toMatchObject({ target, exists: false, empty: true, problem: '' });
    mkdirSync(target);
    writeFileSync(join(target, 'level.dat'), 'of before');
    expect(await call('restore.look', { target })).toMatchObject({ exists: true, empty: false });
    const request = { slug: 'survival', destination: 'nas', snapshot: 'latest', include: [], replace: true, force: true };
    expect((await eventAfter(service, () => call('restore.start', { ...request, target }), endedJob)).state).toBe('done');
    expect(await call('undo.list', { target })).toMatchObject([{ files: 1, partial: false }]);
    const undone = await call('undo.run', { target });
    expect(readFileSync(join(target, 'level.dat'), 'utf8')).toBe('of before');
    expect(undone.before).not.toBeNull();
    expect(await call('undo.discard', { target })).toHaveLength(1);
    expect(await codeOf(call('undo.run', { target }))).toBe('not-found');
    expect(await codeOf(call('undo.list', { target: 'back' }))).toBe('config-invalid');
  });

  test('the password is changed by who knows the one in force, and kept; the kit opens with both or neither', async () => {
    const change = (current: string, password: string): Promise<unknown> =>
      call('destination.changePassword', { name: 'nas', current, password });
    expect(await codeOf(change('not this one', 'another password'))).toBe('wrong-password');
    expect(await change(testPassword, 'another password')).toMatchObject({ newKey: false });
    expect((await backup()).state).toBe('done');
    const kit = await call('kit.make', { name: 'nas', recoveryKey: true });
    expect(kit.fileName).toBe('holdfast-recovery-kit-nas.html');
    for (const text of [kit.html, kit.text]) expect(text).toMatch(/HFRK1-/);
    expect((await call('kit.make', { name: 'nas', recoveryKey: false })).html).not.toMatch(/HFRK1-[A-Z2-7]{4}/);
    // The command writes the same page.
    const file = join(home.base, 'kit.html');
    await home.json(['kit', '-d', 'nas', '-o', file, '--recovery-key', '--html'], { HOLDFAST_PASSWORD: 'another password' });
    expect(readFileSync(file, 'utf8')).toBe(kit.html);
  });

  test('the report holds what a helper needs and no secret', async () => {
    const { text } = await call('report.make', {});
    for (const part of ['## Settings', '## servers.list', '## Log', '"serviceRuns": true']) expect(text).toContain(part);
    for (const secret of ['planted', 'another password', testPassword, service.token])
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
  });
});

describe('signing in with a provider from a window', () => {
  const home = new ServiceHome();
  const drive = { provider: 'google-drive', folder: 'Backups/home', clientId: testClient.id } as const;
  const seen: string[] = [];
  let oauth: OAuthServer;
  let front: Server;
  let closeCloud: () => Promise<void>;
  let service: RunningService;
  let call: Call;

  beforeAll(async () => {
    mkdirSync(join(home.base, 'cloud'));
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    oauth = await startOAuthServer();
    const cloud = await startDriveServer({ folder: join(home.base, 'cloud'), authority: oauth });
    closeCloud = () => cloud.close();
    front = createServer((request, response) => {
      if (!oauth.handle(request, response)) cloud.handle(request, response);
    });
    const address = `http://127.0.0.1:${await listening(front)}`;
    await home.json(['keychain', 'use', 'machine-key', '--yes']);
    service = await home.start({ HOLDFAST_GOOGLE_ENDPOINT: address });
    const over = callService(service);
    call = async (name, request) => {
      const reply = await over(name, request);
      seen.push(JSON.stringify(reply));
      return reply;
    };
  });
  afterAll(async () => {
    await closed(front);
    await closeCloud();
    await oauth.close();
  });

  /** What the service tells once the browser has been where the link leads. */
  async function signIn(more: { readonly destination?: string } = {}): Promise<SignIn> {
    const secret = more.destination === undefined ? { clientSecret: testClient.secret } : {};
    const { link } = await call('signIn.start', { settings: drive, ...secret, ...more });
    const ended = await eventAfter(service, () => fetch(link), signInOf);
    seen.push(JSON.stringify(ended));
    return ended;
  }

  const backup = async (): Promise<Job> =>
    await eventAfter(service, () => call('backup.start', { slug: 'survival', force: true }), endedJob);

  test('a provider without sign-in, no client id and an unknown sign-in are refused', async () => {
    const folder = { provider: 'folder', path: home.place } as const;
    expect(await codeOf(call('signIn.start', { settings: folder }))).toBe('config-invalid');
    expect(await codeOf(call('signIn.start', { settings: { provider: 'google-drive', folder: 'x' } }))).toBe('config-invalid');
    expect(await codeOf(call('signIn.get', { id: 'none' }))).toBe('not-found');
    expect(await codeOf(call('destination.initialize', { settings: drive, secrets: {}, signIn: 'none' }))).toBe('not-found');
  });

  test('a person who says no, and one who gives up', async () => {
    oauth.refuses = true;
    expect(await signIn()).toMatchObject({ state: 'failed', fault: { code: 'permission-denied' } });
    oauth.refuses = false;
    const { id } = await call('signIn.start', { settings: drive });
    expect(await call('signIn.get', { id })).toMatchObject({ state: 'waiting' });
    expect(await eventAfter(service, () => call('signIn.cancel', { id }), signInOf)).toMatchObject({ id, state: 'cancelled' });
  });

  test('done: the place is tried, added and used with what the sign-in brought', async () => {
    const { id, state, account } = await signIn();
    expect([state, account?.name]).toEqual(['done', 'person@example.org']);
    const checks = await call('destination.initialize', { settings: drive, secrets: {}, signIn: id });
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    const row = await call('destination.add', { name: 'home', settings: drive, secrets: {}, signIn: id, password: testPassword });
    expect(row.secrets.toSorted()).toEqual(['clientSecret', 'refreshToken']);
    expect(await codeOf(call('signIn.get', { id }))).toBe('not-found');
    expect(await call('destination.account', { name: 'home' })).toMatchObject({ account: { name: 'person@example.org' } });
    await call('server.add', {
      server: {
        name: 'Survival',
        slug: 'survival',
        folder: home.folder,
        destinations: ['home'],
        zone: 'UTC',
        verify: 'never',
        drill: 'never',
      },
    });
    expect((await backup()).state).toBe('done');
  });

  test('ended: the server says so, and after another sign-in no more; its address may be pasted', async () => {
    oauth.revoke();
    expect((await backup()).fault?.code).toBe('sign-in-needed');
    expect(await call('server.get', { slug: 'survival' })).toMatchObject({ state: 'sign-in-needed' });
    const { id, link } = await call('signIn.start', { settings: drive, destination: 'home' });
    const back = (await fetch(link, { redirect: 'manual' })).headers.get('location') ?? '';
    expect(await codeOf(call('signIn.paste', { id, address: 'https://example.org/?code=x' }))).toBe('config-invalid');
    await call('signIn.paste', { id, address: back });
    expect(await call('signIn.get', { id })).toMatchObject({ state: 'done' });
    expect(await call('destination.signIn', { name: 'home', signIn: id })).toMatchObject({ name: 'home', settings: drive });
    expect(await call('server.get', { slug: 'survival' })).toMatchObject({ state: 'late' });
    expect((await backup()).state).toBe('done');
    expect(await call('server.get', { slug: 'survival' })).toMatchObject({ state: 'ok' });
    expect(await call('snapshots.list', { slug: 'survival', destination: 'home' })).toHaveLength(2);
  });

  test('no token and no secret is in any reply or event, in what is kept in the clear, or in the log', () => {
    const files = ['config', 'state'].flatMap((folder) =>
      readdirSync(join(home.base, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
    );
    expect(seen.length).toBeGreaterThan(10);
    for (const text of [...seen, ...files, service.printed(), ...oauth.addresses]) expect(text).not.toMatch(/planted-(?!code)/);
  });
});
