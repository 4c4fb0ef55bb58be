import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sealText, unsealText } from '../../main/adapters/keychain/sealed-file.ts';
import { answer } from '../../main/contract/answer.ts';
import type { CallName } from '../../main/contract/calls.ts';
import { asFault } from '../../main/contract/faults.ts';
import { destinationPassword, destinationSecret } from '../../main/contract/secret-names.ts';
import { providerSecrets } from '../../main/contract/settings.ts';
import { callService, serviceEvents } from '../../main/compose/service/http-client.ts';
import { rawRequest, requestText } from '../support/raw-http.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';
import { startRconServer } from '../support/rcon-server.ts';

const planted = (what: string): string => `planted"${what}\\/ü-7Kd9Qx`;
/** For where only some letters are possible. */
const plain = (what: string): string => `planted-${what}-7Kd9Qx`;

interface Exported {
  readonly settings: { readonly destinations: Record<string, unknown> };
  readonly secrets: Record<string, string>;
}

/** Everything below a folder, as one text each. */
function textsBelow(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path, readFileSync(path, 'latin1')];
    });
}

test('twenty planted secrets are in no log, no state, no settings, no reply, no event, no page, no report and no argument of a process', async () => {
  const home = new ServiceHome();
  const rcon = await startRconServer(plain('rcon'));
  const secrets: Record<string, string> = {
    nas: planted('nas'),
    accessKeyId: plain('access-key'),
    secretAccessKey: planted('secret-key'),
    sessionToken: plain('session-token'),
    s3: planted('s3-password'),
    clientSecret: plain('client-secret'),
    googleRefresh: plain('google-refresh'),
    drive: planted('drive-password'),
    appSecret: plain('app-secret'),
    dropboxRefresh: plain('dropbox-refresh'),
    dropbox: planted('dropbox-password'),
    keyId: plain('key-id'),
    applicationKey: plain('application-key'),
    b2: planted('b2-password'),
    rcon: plain('rcon'),
    webhook: plain('webhook'),
    discord: plain('discord'),
    ntfy: plain('ntfy'),
    mail: planted('mail'),
    ping: plain('ping'),
    exported: planted('export'),
    initialize: plain('initialize'),
  };
  expect(Object.keys(secrets).length).toBeGreaterThanOrEqual(20);
  const of = (name: string): string => secrets[name] ?? '';

  // But for the passphrase of an export, and what a test of a place is given.
  const kept = Object.entries(secrets).flatMap(([name, secret]) => (name === 'exported' || name === 'initialize' ? [] : [secret]));
  expect(kept).toHaveLength(20);

  // Hooks and providers print what they like: here, secrets.
  writeFileSync(join(home.base, 'said'), `${kept.join(' ')}\n`);
  const hook = JSON.stringify(['sh', '-c', `cat ${join(home.base, 'said')} >&2; exit 1`]);
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  await home.json(['keychain', 'use', 'machine-key', '--yes']);
  await home.json(['destination', 'add', 'nas', `folder:${home.place}`, '--no-test']);
  await home.json(
    [
      'server',
      'add',
      'Survival',
      home.folder,
      '--to',
      'nas',
      '--minecraft',
      `127.0.0.1:${rcon.port}`,
      '--hook-after-success',
      hook,
      '--hook-before',
      hook,
    ],
    { HOLDFAST_PASSWORD: of('nas'), HOLDFAST_RCON_PASSWORD: of('rcon') },
  );

  const texts: [string, string][] = [];
  const listenedTo = async (): Promise<{ readonly running: RunningService; readonly end: () => Promise<void> }> => {
    const running = await home.start({ HOLDFAST_PASSWORD: '' });
    const end = new AbortController();
    const open = Promise.withResolvers<void>();
    const events = (async () => {
      for await (const event of serviceEvents(running, end.signal, open.resolve))
        texts.push([`event ${event.event}`, JSON.stringify(event)]);
    })().catch((error: unknown) => expect(asFault(error, 'events').code).not.toBe('config-invalid'));
    await open.promise;
    return {
      running,
      async end() {
        end.abort();
        texts.push(['printed', running.printed()], ['argv', readFileSync(`/proc/${String(running.child.pid)}/cmdline`, 'latin1')]);
        await running.stop();
        await events;
      },
    };
  };
  const first = await listenedTo();
  let service = first.running;
  let call = callService(service);

  /** Settles to its status. */
  const ask = async (name: CallName, request: unknown): Promise<number> => {
    const path = `/api/call/${name}`;
    const text = await rawRequest(service.port, requestText(service.port, service.token, { path, body: JSON.stringify(request) }));
    texts.push([name, text]);
    return Number(text.split(' ', 2)[1]);
  };
  const exported = async (): Promise<Exported> => {
    const { file } = await call('settings.export', { passphrase: of('exported') });
    const opened = await unsealText(Buffer.from(file, 'base64'), of('exported'), { says: 'the export', next: '' });
    return JSON.parse(opened) as Exported;
  };
  const nowhere = 'http://127.0.0.1:9';
  await ask('destination.initialize', {
    settings: { provider: 's3', bucket: 'bucket', endpoint: nowhere, region: 'x' },
    secrets: { accessKeyId: of('initialize'), secretAccessKey: of('secretAccessKey') },
  });
  await ask('destination.initialize', {
    settings: { provider: 'google-drive', folder: 'x' },
    secrets: { refreshToken: of('googleRefresh') },
  });
  // Four clouds that nobody can reach from here, kept all the same: they come as settings from another computer do.
  const taken = await exported();
  const destinations = {
    s3: { provider: 's3', bucket: 'bucket', endpoint: nowhere, region: 'x' },
    drive: { provider: 'google-drive', folder: 'x', clientId: 'mine' },
    dropbox: { provider: 'dropbox', folder: 'x', appKey: 'mine' },
    b2: { provider: 'backblaze-b2', bucket: 'bucket-1' },
  } as const;
  for (const [name, settings] of Object.entries(destinations)) taken.settings.destinations[name] = { settings };
  for (const [name, { provider }] of Object.entries(destinations)) {
    taken.secrets[destinationPassword(name)] = of(name);
    for (const { name: secret } of providerSecrets[provider]) {
      const planted = secret === 'refreshToken' ? `${provider === 'dropbox' ? 'dropbox' : 'google'}Refresh` : secret;
      taken.secrets[destinationSecret(name, secret)] = of(planted);
    }
  }
  const file = Buffer.from(await sealText(JSON.stringify(taken), of('exported'))).toString('base64');
  expect(await ask('settings.import', { file, passphrase: of('exported') })).toBe(200);
  const url = (secret: string): string => `${nowhere}/${secret}`;
  for (const [target, given] of [
    [{ kind: 'webhook', name: 'hook' }, { url: url(of('webhook')) }],
    [{ kind: 'discord', name: 'discord' }, { url: url(of('discord')) }],
    [{ kind: 'ntfy', name: 'phone', server: nowhere, topic: 'x' }, { token: of('ntfy') }],
    [
      { kind: 'email', name: 'mail', host: '127.0.0.1', port: 9, security: 'none', user: 'me', from: 'a@b.c', to: ['a@b.c'] },
      { password: of('mail') },
    ],
    [{ kind: 'ping', name: 'ping' }, { url: url(of('ping')) }],
  ] as const) {
    expect(await ask('notice.set', { target, secrets: given })).toBe(200);
    await ask('notice.test', { name: target.name });
  }
  expect(await ask('settings.export', { passphrase: of('exported') })).toBe(200);
  expect(await ask('destination.setPassword', { name: 'nas', password: of('nas') })).toBe(200);
  // All of them are there to be found.
  const there = Object.values((await exported()).secrets).map((text) => text.replace(`${nowhere}/`, ''));
  expect(there.sort()).toEqual([...kept].sort());
  // Another process, which has been given none of them.
  await first.end();
  const second = await listenedTo();
  service = second.running;
  call = callService(service);

  const ended = (job: string): Promise<void> =>
    new Promise((settle) => {
      const look = (): void => {
        if (texts.some(([where, text]) => where === 'event job' && text.includes(`"id":"${job}"`) && !text.includes('"endedAt":null')))
          settle();
        else setImmediate(look);
      };
      look();
    });
  // Before anything has been read from the keychain, too.
  const refused = await call('backup.start', { slug: 'survival' });
  await ended(refused.job);
  expect(await call('job.get', { job: refused.job })).toMatchObject({
    state: 'failed',
    fault: { message: expect.stringContaining('[hidden]') as string },
  });
  await home.json(['server', 'edit', 'survival', '--hook-before', '/bin/true', '--hook-after-success', hook]);
  const { job } = await call('backup.start', { slug: 'survival' });
  texts.push(['processes', execFileSync('ps', ['-eo', 'args', '-ww'], { encoding: 'latin1' })]);
  await ended(job);
  expect((await call('job.get', { job })).warnings.map(({ code }) => code)).toContain('hook');

  for (const name of ['service.info', 'servers.list', 'destinations.list', 'notices.list', 'keychain.describe', 'bandwidth.get'] as const)
    await ask(name, {});
  await ask('jobs.list', { limit: 100 });
  const page = async (path: string): Promise<string> => {
    const text = await rawRequest(service.port, requestText(service.port, service.token, { method: 'GET', path }));
    expect([path, text.split('\r\n', 1)[0]]).toEqual([path, 'HTTP/1.1 200 OK']);
    texts.push([path, text]);
    return text;
  };
  const assets = [...(await page('/')).matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
  expect(assets.map((path) => path.slice(path.lastIndexOf('.')))).toEqual(expect.arrayContaining(['.js', '.css']));
  for (const path of assets) await page(path);
  await home.json(['report', join(home.base, 'report.txt')]);
  texts.push(['report', readFileSync(join(home.base, 'report.txt'), 'latin1')]);
  await second.end();
  await rcon.close();

  texts.push(...textsBelow(home.config), ...textsBelow(home.state));
  const found = texts.flatMap(([where, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) =>
        [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)].some((form) =>
          text.includes(Buffer.from(form).toString('latin1')),
        ),
      )
      .map(([name]) => `${name} in ${where}`),
  );
  expect(found).toEqual([]);
  // The service's own token is in its own file and nowhere else.
  const own = texts.filter(([where, text]) => !where.endsWith('/token') && text.includes(service.token)).map(([where]) => where);
  expect(own).toEqual([]);
  expect(texts.some(([where]) => where.endsWith('holdfast.log'))).toBe(true);
});

test('a report tells of hooks, console commands and topics nothing that may be a secret which nobody knows as one', async () => {
  const home = new ServiceHome();
  await home.setUp();
  const hook = ['--hook-before', JSON.stringify(['curl', '-H', `Authorization: Bearer ${plain('hook')}`])];
  const rcon = ['--rcon', '127.0.0.1:9', '--rcon-pause', `login ${plain('console')}`, '--rcon-resume', 'go'];
  await home.json(['server', 'edit', 'survival', ...hook, ...rcon], { HOLDFAST_RCON_PASSWORD: 'console' });
  await home.json(['notice', 'add', 'phone', 'ntfy', '--topic', plain('topic'), '--no-test']);
  await home.json(['report', join(home.base, 'report.txt')]);
  const text = readFileSync(join(home.base, 'report.txt'), 'utf8');
  for (const told of ['"curl"', '"login [hidden]"', '"phone"']) expect(text).toContain(told);
  expect(text).not.toContain('planted');
});

test('what a handler adds to a reply by mistake does not go out', async () => {
  const handlers = {
    'keychain.describe': () => Promise.resolve({ kind: 'system', strong: true, locked: false, says: 'x', secret: 'planted' }),
  };
  const reply = await answer(handlers as never, 'keychain.describe', {}, new AbortController().signal);
  expect(JSON.stringify(reply)).not.toContain('planted');
});
