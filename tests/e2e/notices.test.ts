import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { deliverNotice } from '../../main/adapters/notify/deliver.ts';
import { ping } from '../../main/adapters/notify/ping.ts';
import { noticeTargetSchema, type Notice } from '../../main/contract/notices.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { freePort } from '../support/free-port.ts';
import { makeCertificate, trust } from '../support/local-certificate.ts';
import { startMailServer, startReceiver, type HttpReceiver } from '../support/receivers.ts';
import { ServiceHome } from '../support/service-process.ts';

let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await startReceiver();
  const current = receiver;
  onTestFinished(() => current.close());
});

const notice: Notice = {
  ...{ kind: 'failed', server: 'survival', title: 'Überleben: the backup failed', text: 'the disk @everyone is full', next: 'Free space.' },
  ...{ at: Date.UTC(2026, 10, 27), repeats: 3 },
};
const anyway = new AbortController().signal;
const send = (target: object, secrets: Readonly<Record<string, string>> = {}): Promise<void> =>
  deliverNotice(noticeTargetSchema.parse({ name: 'x', ...target }), secrets, notice, anyway, null);
const body = (): Record<string, unknown> => JSON.parse(receiver.got[0]?.body ?? '') as Record<string, unknown>;

describe('over HTTP', () => {
  test('a webhook gets the notice as JSON', async () => {
    await send({ kind: 'webhook' }, { url: `${receiver.address}/hook?k=1` });
    expect([receiver.got[0]?.path, body()]).toEqual(['/hook?k=1', notice]);
  });

  test('Discord gets a short text that calls nobody', async () => {
    await send({ kind: 'discord' }, { url: `${receiver.address}/api/webhooks/1/x` });
    const { content } = body();
    expect(content).toBe(
      '**Überleben: the backup failed**\nthe disk @everyone is full\nFree space.\nThis came up 3 more times since you were told.',
    );
    expect(body()['allowed_mentions']).toEqual({ parse: [] });
  });

  test('ntfy gets its JSON, letters beyond ASCII and the token', async () => {
    await send({ kind: 'ntfy', server: receiver.address, topic: 'mine' }, { token: 'tk_1' });
    expect(body()).toMatchObject({ topic: 'mine', title: notice.title, priority: 4 });
    expect(receiver.got[0]?.headers['authorization']).toBe('Bearer tk_1');
  });

  test('a ping goes where healthchecks.io expects it', async () => {
    const secrets = { url: `${receiver.address}/ping/uuid/` };
    for (const event of ['start', 'success', 'fail'] as const) await ping(secrets, event, 'text', anyway);
    expect(receiver.got.map(({ path }) => path)).toEqual(['/ping/uuid/start', '/ping/uuid/', '/ping/uuid/fail']);
  });

  test('what is refused, redirected or not there is told without the address', async () => {
    const address = `${receiver.address}/planted-secret-path`;
    for (const [status, code] of [
      [500, 'unavailable'],
      [429, 'unavailable'],
      [404, 'config-invalid'],
      [302, 'config-invalid'],
    ] as const) {
      receiver.statuses.push(status);
      const fault = await send({ kind: 'webhook' }, { url: address }).catch((error: unknown) => error as Fault);
      expect([status, fault?.code, JSON.stringify(fault).includes('planted'), String(fault?.message).includes('planted')]).toEqual([
        status,
        code,
        false,
        false,
      ]);
    }
    const nobody = `http://127.0.0.1:${await freePort()}/planted-secret-path`;
    expect(await codeOf(send({ kind: 'webhook' }, { url: nobody }))).toBe('unavailable');
  });
});

describe('by mail', () => {
  const account = { user: 'me@example.org', password: 'planted' };
  const target = (port: number, security: string): object => ({
    ...{ kind: 'email', host: '127.0.0.1', port, security, user: account.user },
    ...{ from: 'holdfast@example.org', to: ['admin@example.org', 'other@example.org'] },
  });

  test('with the account, to everybody, with its title as subject', async () => {
    const server = await startMailServer(account, false);
    onTestFinished(() => server.close());
    await send(target(server.port, 'none'), { password: 'planted' });
    const [mail] = server.mails;
    expect([mail?.from, mail?.to, mail?.user]).toEqual(['holdfast@example.org', ['admin@example.org', 'other@example.org'], account.user]);
    expect(mail?.text).toContain('Subject: =?UTF-8?');
    expect(mail?.text).toContain('Free space.');
  });

  test('a refused account is told as such', async () => {
    const server = await startMailServer(account, false);
    onTestFinished(() => server.close());
    expect(await codeOf(send(target(server.port, 'none'), { password: 'another' }))).toBe('unauthenticated');
    expect(server.mails).toEqual([]);
  });

  test.each(['starttls', 'tls'] as const)(
    'encrypted, %s: it arrives with the account where the certificate is one that this computer trusts',
    async (security) => {
      const certificate = makeCertificate('IP:127.0.0.1');
      const server = await startMailServer(account, { ...certificate, secure: security === 'tls' });
      onTestFinished(() => server.close());
      expect(['config-invalid', 'unavailable']).toContain(await codeOf(send(target(server.port, security), { password: 'planted' })));
      expect(server.mails).toEqual([]);
      onTestFinished(trust(certificate));
      await send(target(server.port, security), { password: 'planted' });
      expect(server.mails).toMatchObject([{ user: account.user, encrypted: true, text: expect.stringContaining('Free space.') as string }]);
    },
  );

  test('no password without encryption: not to another computer, not where STARTTLS is missing, not to a certificate that nobody signed', async () => {
    const [plain, unsigned] = [await startMailServer(account, false), await startMailServer(account, true)];
    onTestFinished(async () => {
      await plain.close();
      await unsigned.close();
    });
    expect(await codeOf(send({ ...target(25, 'none'), host: 'mail.example.org' }, { password: 'planted' }))).toBe('config-invalid');
    for (const server of [plain, unsigned]) {
      const code = await codeOf(send(target(server.port, 'starttls'), { password: 'planted' }));
      expect(['config-invalid', 'unavailable']).toContain(code);
      expect(server.mails).toEqual([]);
    }
  });
});

test('a service tells of a failed backup and of its recovery, and pings; a notice that does not arrive fails nothing', async () => {
  const home = new ServiceHome();
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  await home.setUp();
  const service = await home.start();
  const url = (path: string): Record<string, string> => ({ HOLDFAST_NOTICE_SECRET: `${receiver.address}${path}` });
  await home.json(['notice', 'add', 'hook', 'webhook', '--no-test'], url('/hook'));
  await home.json(['notice', 'add', 'watch', 'ping', '--no-test'], url('/ping'));
  const nobody = { HOLDFAST_NOTICE_SECRET: `http://127.0.0.1:${await freePort()}/x` };
  await home.json(['notice', 'add', 'gone', 'webhook', '--no-test'], nobody);
  const untested = await home.run(['notice', 'test', 'gone']);
  expect([untested.code === 0, untested.stderr.includes('could not be reached')]).toEqual([false, true]);

  await home.json(['server', 'edit', 'survival', '--hook-before', '/bin/false']);
  expect((await home.run(['server', 'backup', 'survival'])).code).toBe(1);
  await receiver.arrived(3);
  await home.json(['server', 'edit', 'survival', '--hook-before', '/bin/true']);
  await home.json(['server', 'backup', 'survival']);
  await receiver.arrived(6);
  const [hooks, pings] = [receiver.got.filter(({ path }) => path === '/hook'), receiver.got.filter(({ path }) => path.startsWith('/ping'))];
  expect(hooks.map(({ body: text }) => (JSON.parse(text) as Notice).kind)).toEqual(['failed', 'recovered']);
  expect(pings.map(({ path }) => path)).toEqual(['/ping/start', '/ping/fail', '/ping/start', '/ping']);
  expect(JSON.parse(hooks[0]?.body ?? '')).toMatchObject({ server: 'survival', text: expect.stringContaining('/bin/false') as string });
  await service.stop();
});
