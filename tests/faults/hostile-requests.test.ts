import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { calls } from '../../main/contract/calls.ts';
import { door } from '../../main/contract/door.ts';
import { doorPaths, signInPath } from '../../main/contract/door-paths.ts';
import { rawRequest, requestText, statusOf, type RequestParts } from '../support/raw-http.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

const home = new ServiceHome();
let service: RunningService;
let cookie = '';
let half = '';
beforeAll(async () => {
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  await home.setUp();
  service = await home.start();
  const reply = await signIn(await code());
  cookie = /set-cookie: ([^;]+)/i.exec(reply)?.[1] ?? '';
  half = /"half":"([0-9a-f]{64})"/.exec(reply)?.[1] ?? '';
  expect(cookie).toMatch(new RegExp(`^holdfast_session_${service.port}=[0-9a-f]{32}\\.\\d+\\.[0-9a-f]{64}$`));
  expect(half).not.toBe('');
});

/** Of a sign-in link, as the command prints it. */
async function code(): Promise<string> {
  const { link } = (await home.json(['open-page', '--no-browser'])) as { link: string };
  return new URL(link).searchParams.get('code') ?? '';
}

const signIn = async (given: string): Promise<string> =>
  await send({ path: '/api/sign-in', headers: { authorization: null }, body: JSON.stringify({ code: given }) });

const send = async (parts: RequestParts): Promise<string> =>
  await rawRequest(service.port, requestText(service.port, service.token, parts));

test('what lets in answers with what the contract names, and nothing else', async () => {
  const valueOf = (reply: string): unknown => {
    const { value } = JSON.parse(reply.slice(reply.indexOf('\r\n\r\n') + 4).replace(/^[^{]*|[^}]*$/g, '')) as { readonly value: unknown };
    return value;
  };
  const { link } = door.link.reply.strict().parse(valueOf(await send({ path: doorPaths.link })));
  const url = new URL(link);
  expect([url.host, url.pathname]).toEqual([`127.0.0.1:${service.port}`, signInPath]);
  door.signIn.reply.strict().parse(valueOf(await signIn(url.searchParams.get('code') ?? '')));
});

test('what is asked rightly is answered, with the token and with both halves of a session', async () => {
  expect(statusOf(await send({}))).toBe(200);
  const origin = `http://127.0.0.1:${service.port}`;
  const browser = { authorization: null, cookie, 'x-holdfast-half': half, origin, 'sec-fetch-site': 'same-origin' };
  expect(statusOf(await send({ headers: browser }))).toBe(200);
  // As other services and programs of this computer put theirs in the same jar.
  expect(statusOf(await send({ headers: { ...browser, cookie: `a=b; holdfast_session_1=x; ${filled('FORGED')}; ${cookie}; c` } }))).toBe(
    200,
  );
  expect(statusOf(await send({ headers: { host: `localhost:${service.port}` } }))).toBe(200);
  expect(statusOf(await send({ method: 'GET', path: '/', headers: { 'sec-fetch-site': 'none' } }))).toBe(200);
  // From the file that leads to a sign-in link, and loaded anew from there.
  const tab = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  for (const path of ['/sign-in?code=x', '/']) expect(statusOf(await send({ method: 'GET', path, headers: tab }))).toBe(200);
});

/** Each is as the right request, but for one thing. `[what, parts, status]`. */
type Hostile = readonly [what: string, parts: RequestParts, status: number];

const evil = 'http://evil.example';
const hosts: readonly Hostile[] = [
  ['another name', 'evil.example'],
  ['another name with our port', 'evil.example:PORT'],
  ['our address without the port', '127.0.0.1'],
  ['our address with another port', '127.0.0.1:1'],
  ['all addresses', '0.0.0.0:PORT'],
  ['a name that ends as ours', 'evil-localhost:PORT'],
  ['a name below ours', 'localhost.evil.example:PORT'],
  ['our address as a part', '127.0.0.1:PORT.evil.example'],
  ['our address in another notation', '2130706433:PORT'],
  ['our address in short', '127.1:PORT'],
  ['IPv6', '[::1]:PORT'],
  ['a user in front', 'x@127.0.0.1:PORT'],
  ['a path behind', '127.0.0.1:PORT/x'],
  ['nothing', ''],
].map(([what = '', host = '']) => [`a host: ${what}`, { headers: { host } }, /[@/]|^$|PORT\.evil/.test(host) ? 400 : 421] as const);

const sites: readonly Hostile[] = [
  ['the origin of another site', { headers: { origin: evil } }, 403],
  ['no origin worth the name (null)', { headers: { origin: 'null' } }, 403],
  ['our origin with https', { headers: { origin: 'https://127.0.0.1:PORT' } }, 403],
  ['our origin at another port', { headers: { origin: 'http://127.0.0.1:1' } }, 403],
  ['the origin localhost for the host 127.0.0.1', { headers: { origin: 'http://localhost:PORT' } }, 403],
  ['an empty origin', { headers: { origin: '' } }, 403],
  ['a file as origin', { headers: { origin: 'file://' } }, 403],
  ['another site, as the browser says', { headers: { 'sec-fetch-site': 'cross-site' } }, 403],
  ['a neighbour site, as the browser says', { headers: { 'sec-fetch-site': 'same-site' } }, 403],
  ['a call without a page', { headers: { 'sec-fetch-site': 'none' } }, 403],
  ['a word that no browser says', { headers: { 'sec-fetch-site': 'sure' } }, 403],
  ['the page, from another site', { method: 'GET', path: '/', headers: { 'sec-fetch-site': 'cross-site' } }, 403],
  ['events, from another site', { method: 'GET', path: '/api/events', headers: { 'sec-fetch-site': 'cross-site' } }, 403],
  ['events, with an origin', { method: 'GET', path: '/api/events', headers: { origin: evil } }, 403],
  ['a sign-in link, from another site', { method: 'GET', path: '/sign-in?code=x', headers: { 'sec-fetch-site': 'cross-site' } }, 403],
  ...[
    ['the sign-in page in a frame', '/sign-in?code=x', 'navigate', 'iframe'],
    ['the sign-in page as a script', '/sign-in?code=x', 'no-cors', 'script'],
    ['the page in a frame', '/', 'navigate', 'iframe'],
    ['events as a tab, from another site', '/api/events', 'navigate', 'document'],
  ].map(([what = '', path = '', mode = '', dest = '']): Hostile => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode, 'sec-fetch-dest': dest };
    return [what, { method: 'GET', path, headers }, 403];
  }),
];

const methods: readonly Hostile[] = ['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'TRACE'].map(
  (method) => [`the method ${method}`, { method, headers: { origin: null } }, 405] as const,
);

const bodies: readonly Hostile[] = [
  ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
  ['plain text', { headers: { 'content-type': 'text/plain' } }, 415],
  ['a form of parts', { headers: { 'content-type': 'multipart/form-data; boundary=x' } }, 415],
  ['text that says JSON later', { headers: { 'content-type': 'text/plain; application/json' } }, 415],
  ['JSON that says text later', { headers: { 'content-type': 'application/json, text/plain' } }, 415],
  ['JSON in another encoding', { headers: { 'content-type': 'application/json; charset=utf-7' } }, 415],
  ['no type', { headers: { 'content-type': null } }, 415],
  ['no JSON', { body: '{' }, 400],
  ['nothing', { body: '' }, 400],
  ['a list', { body: '[]' }, 400],
  ['a number', { body: '7' }, 400],
  ['null', { body: 'null' }, 400],
  ['too much', { body: JSON.stringify({ slug: 'x'.repeat(2 ** 20) }) }, 413],
  ['a lie about its length', { headers: { 'content-length': String(2 ** 31) } }, 413],
];

const forged = (from: string): string => from.replace(/\.\d+\./, '.99999999999999.');
const signs: readonly Hostile[] = [
  ['no sign', { headers: { authorization: null } }, 401],
  ['an empty token', { headers: { authorization: 'Bearer ' } }, 401],
  ['another token', { headers: { authorization: `Bearer ${'0'.repeat(64)}` } }, 401],
  ['a part of the token', { headers: { authorization: 'Bearer TOKEN32' } }, 401],
  ['the token as another scheme', { headers: { authorization: 'Basic TOKEN' } }, 401],
  ['the token in the address', { path: '/api/call/servers.list?token=TOKEN', headers: { authorization: null } }, 401],
  ['the cookie without the other half', { headers: { authorization: null, cookie: 'COOKIE' } }, 401],
  ['the other half without the cookie', { headers: { authorization: null, 'x-holdfast-half': 'HALF' } }, 401],
  ['the cookie with a half of its making', { headers: { authorization: null, cookie: 'COOKIE', 'x-holdfast-half': '0'.repeat(64) } }, 401],
  ['the cookie with an empty half', { headers: { authorization: null, cookie: 'COOKIE', 'x-holdfast-half': '' } }, 401],
  ['the cookie of another port', { headers: { authorization: null, cookie: 'OTHER', 'x-holdfast-half': 'HALF' } }, 401],
  ['the other half in the address', { path: '/api/call/servers.list?half=HALF', headers: { authorization: null, cookie: 'COOKIE' } }, 401],
  ['the other half as a cookie', { headers: { authorization: null, cookie: 'COOKIE; x-holdfast-half=HALF' } }, 401],
  ['the token as a cookie', { headers: { authorization: null, cookie: 'NAME=TOKEN', 'x-holdfast-half': 'HALF' } }, 401],
  ['a cookie with another end', { headers: { authorization: null, cookie: 'FORGED', 'x-holdfast-half': 'HALF' } }, 401],
  ['a cookie without a signature', { headers: { authorization: null, cookie: 'NAME=99999999999999.', 'x-holdfast-half': 'HALF' } }, 401],
  ['events without a sign', { method: 'GET', path: '/api/events', headers: { authorization: null } }, 401],
  ['events with the cookie only', { method: 'GET', path: '/api/events', headers: { authorization: null, cookie: 'COOKIE' } }, 401],
  ['events with the half only', { method: 'GET', path: '/api/events', headers: { authorization: null, 'x-holdfast-half': 'HALF' } }, 401],
  ['a link without a sign', { path: '/api/link', headers: { authorization: null } }, 401],
  ['a link with a session only', { path: '/api/link', headers: { authorization: null, cookie: 'COOKIE', 'x-holdfast-half': 'HALF' } }, 403],
  ['a sign-in without a code', { path: '/api/sign-in', headers: { authorization: null } }, 403],
  ['a sign-in with another code', { path: '/api/sign-in', headers: { authorization: null }, body: `{"code":"${'A'.repeat(43)}"}` }, 403],
  ['a sign-in with a code that is no text', { path: '/api/sign-in', headers: { authorization: null }, body: '{"code":["x"]}' }, 403],
  ['a sign-in with no JSON', { path: '/api/sign-in', headers: { authorization: null }, body: 'code' }, 403],
  ['a sign-in, from another site', { path: '/api/sign-in', headers: { authorization: null, 'sec-fetch-site': 'same-site' } }, 403],
];

const places: readonly Hostile[] = [
  ['a call that does not exist', { path: '/api/call/eval' }, 404],
  ['a member of every object', { path: '/api/call/constructor' }, 404],
  ['its prototype', { path: '/api/call/__proto__' }, 404],
  ['a call by GET', { method: 'GET', path: '/api/call/servers.list' }, 404],
  ['the page by POST', { path: '/' }, 404],
  ['what the interface does not have', { path: '/api/token', headers: { authorization: null } }, 401],
  ['a file above', { method: 'GET', path: '/../package.json' }, 404],
  ['a file above, encoded', { method: 'GET', path: '/%2e%2e/package.json' }, 404],
  ['a file above, encoded twice', { method: 'GET', path: '/%252e%252e/package.json' }, 404],
  ['a file above a folder', { method: 'GET', path: '/assets/../../package.json' }, 404],
  ['a file with back slashes', { method: 'GET', path: '/..\\..\\package.json' }, 400],
  ['a file of the system', { method: 'GET', path: '//etc/passwd' }, 404],
  ['a name with NUL', { method: 'GET', path: '/index.html%00.js' }, 404],
  ['a hidden file', { method: 'GET', path: '/.env.js' }, 404],
];

const filled = (text: string): string =>
  text
    .replaceAll('PORT', String(service.port))
    .replaceAll('TOKEN32', service.token.slice(0, 32))
    .replaceAll('TOKEN', service.token)
    .replaceAll('FORGED', forged(cookie))
    .replaceAll('OTHER', cookie.replace(/_\d+=/, '_1='))
    .replaceAll('NAME', `holdfast_session_${service.port}`)
    .replaceAll('HALF', half)
    .replaceAll('COOKIE', cookie);

describe('refused, and nothing given away', () => {
  const all = [...hosts, ...sites, ...methods, ...bodies, ...signs, ...places];

  test('there are at least sixty', () => {
    expect(all.length).toBeGreaterThanOrEqual(60);
  });

  test.each(all)('%s', async (_what, parts, status) => {
    const headers = Object.fromEntries(
      Object.entries(parts.headers ?? {}).map(([name, value]) => [name, value === null ? null : filled(value)]),
    );
    const reply = await send({ ...parts, headers, ...(parts.path === undefined ? {} : { path: filled(parts.path) }) });
    expect(statusOf(reply)).toBe(status);
    expect(reply).not.toMatch(/survival|access-control-allow|set-cookie/i);
    // What makes no address at all is turned away before our own policy is reached.
    if (status !== 400 || parts.body !== undefined) expect(reply).toMatch(/content-security-policy: default-src 'none'/i);
  });

  test('what is no HTTP, and a second request smuggled behind a first', async () => {
    for (const text of [
      'hello\r\n\r\n',
      '\0\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      `GET / HTTP/1.1\r\nhost: 127.0.0.1:${service.port}\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`,
    ]) {
      const reply = await rawRequest(service.port, text);
      expect([text.slice(0, 10), statusOf(reply) >= 400]).toEqual([text.slice(0, 10), true]);
    }
    const two = requestText(service.port, service.token, { headers: { 'transfer-encoding': 'chunked' }, body: '0\r\n\r\n' });
    expect(statusOf(await rawRequest(service.port, two))).toBe(400);
  });

  test('a sign-in link works once, and to look what is behind it does not use it up', async () => {
    const given = await code();
    const looked = await send({ method: 'GET', path: `/sign-in?code=${given}`, headers: { authorization: null } });
    expect([statusOf(looked), /set-cookie/i.test(looked)]).toEqual([200, false]);
    const first = await signIn(given);
    expect([statusOf(first), /HttpOnly; SameSite=Strict; Path=\/api; Max-Age=604800/.test(first)]).toEqual([200, true]);
    const second = await signIn(given);
    expect([statusOf(second), /set-cookie|half/i.test(second)]).toEqual([403, false]);
  });

  test('the page tells somebody who is not signed in nothing that the service knows', async () => {
    const reply = await send({ method: 'GET', path: '/', headers: { authorization: null } });
    expect([statusOf(reply), /survival|set-cookie/i.test(reply)]).toEqual([200, false]);
  });

  test('every call refuses a request that is not as the contract has it', async () => {
    for (const [name, { request }] of Object.entries(calls)) {
      const wrong = {
        slug: 1,
        name: 1,
        job: 1,
        settings: 1,
        kind: 1,
        schedule: 1,
        keep: 1,
        limit: [],
        server: 1,
        target: 1,
        passphrase: 1,
        file: 1,
      };
      if (request.safeParse(wrong).success) continue;
      const reply = await send({ path: `/api/call/${name}`, body: JSON.stringify(wrong) });
      expect([name, statusOf(reply), reply.includes('config-invalid')]).toEqual([name, 400, true]);
    }
  });
});
