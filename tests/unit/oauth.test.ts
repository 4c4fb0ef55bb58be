import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from '../../main/adapters/oauth/open-browser.ts';
import { challengeOf, newState, newVerifier, sameSecret } from '../../main/adapters/oauth/pkce.ts';
import { oauthProvider } from '../../main/adapters/oauth/providers.ts';
import { refreshingTokens, type RefreshingOptions } from '../../main/adapters/oauth/refreshing-tokens.ts';
import { beginSignIn, type SignIn } from '../../main/adapters/oauth/sign-in.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { startOAuthServer, testClient, type OAuthServer } from '../support/clouds/oauth/server.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { freePort } from '../support/free-port.ts';
import { expectPage } from '../support/setup-page.ts';

let server: OAuthServer;
beforeAll(async () => {
  server = await startOAuthServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.refuses = false;
  server.rotates = false;
  server.lifeSeconds = 3600;
  server.beforeAnswer = () => Promise.resolve();
  server.answers.length = 0;
  server.forms.length = 0;
  server.addresses.length = 0;
});

test('PKCE: the example of RFC 7636, appendix B', () => {
  expect(challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  expect(newVerifier()).toMatch(/^[\w-]{43}$/);
  expect(new Set(Array.from({ length: 100 }, () => newState())).size).toBe(100);
  expect([sameSecret('a', 'a'), sameSecret('a', 'b'), sameSecret('a', 'aa'), sameSecret('', 'a')]).toEqual([true, false, false, false]);
});

describe('tokens', () => {
  const open = (more: Partial<RefreshingOptions> = {}): ReturnType<typeof refreshingTokens> =>
    refreshingTokens({
      provider: 'google-drive',
      clientId: testClient.id,
      clientSecret: testClient.secret,
      refreshToken: server.issue(),
      endpoint: server.endpoint,
      clock: fakeClock(),
      ...more,
    });
  const faultOf = async (work: Promise<unknown>): Promise<Fault> =>
    await work.then(
      () => Promise.reject(new Error('it worked')),
      (error: unknown) => error as Fault,
    );

  test('fifty who ask at once get one and the same, by one request; nothing secret is in an address', async () => {
    const tokens = open();
    const got = await Promise.all(Array.from({ length: 50 }, () => tokens.token()));
    expect([new Set(got).size, server.forms.length]).toEqual([1, 1]);
    expect(server.accepts(got[0] ?? '')).toBe('valid');
    expect(server.addresses.join()).not.toContain('planted');
  });

  test('it is renewed a minute before its end, and not sooner', async () => {
    const clock = fakeClock();
    const tokens = open({ clock });
    const first = await tokens.token();
    clock.jump(3539_000);
    expect(await tokens.token()).toBe(first);
    clock.jump(1_000);
    expect(await tokens.token()).not.toBe(first);
  });

  test('one that was refused is renewed once, also when many were refused with it', async () => {
    const tokens = open();
    const refused = await tokens.token();
    const got = await Promise.all(Array.from({ length: 20 }, () => tokens.token({ refused })));
    expect([new Set(got).size, server.forms.length]).toEqual([1, 2]);
    // Who comes late with the old one gets what is here already.
    expect(await tokens.token({ refused })).toBe(got[0]);
    expect(server.forms.length).toBe(2);
  });

  test('a new refresh token is used from then on, and given to whoever keeps it', async () => {
    server.rotates = true;
    const kept: string[] = [];
    const tokens = open({ onRefreshToken: (token) => Promise.resolve(void kept.push(token)) });
    const first = await tokens.token();
    await tokens.token({ refused: first });
    expect(kept).toHaveLength(2);
    expect(server.forms[1]?.get('refresh_token')).toBe(kept[0]);
  });

  test('one who gives up does not stop it for the others', async () => {
    const tokens = open();
    const stop = new AbortController();
    const both = [codeOf(tokens.token({ signal: stop.signal })), tokens.token()] as const;
    stop.abort();
    expect(await both[0]).toBe('cancelled');
    expect(server.accepts(await both[1])).toBe('valid');
  });

  test('a sign-in that has ended is said, and is no weather', async () => {
    const tokens = open();
    server.revoke();
    const fault = await faultOf(tokens.token());
    expect(fault).toMatchObject({ code: 'sign-in-needed', persistence: 'permanent' });
    expectPage(fault, 'docs/setup/google-drive.md');
    const dropbox = await faultOf(open({ provider: 'dropbox', refreshToken: 'of nobody' }).token());
    expect(dropbox.code).toBe('sign-in-needed');
    expectPage(dropbox, 'docs/setup/dropbox.md');
  });

  const dayMs = 86_400_000;
  const isExplained = ({ message, context }: Fault): boolean => message.includes('most likely') && context['say'] === 'project-in-testing';

  test.each([
    ['google-drive', 7, null, true],
    // Who backs up every two weeks, or after months, meets the end late.
    ['google-drive', 14, null, true],
    ['google-drive', 200, null, true],
    ['google-drive', 3, null, false],
    // It has lasted longer than a week once.
    ['google-drive', 200, 8, false],
    ['google-drive', 14, 13, false],
    // That was another one, before somebody signed in again.
    ['google-drive', 14, -30, true],
    ['google-drive', 14, 6, true],
    ['dropbox', 14, null, false],
  ] as const)(
    'of %s, ended after %i days, renewed on day %s: %s that a project in testing is most likely',
    async (provider, days, renewed, named) => {
      const clock = fakeClock();
      const signedInAt = clock.now() - days * dayMs;
      const tokens = open({ provider, clock, signedInAt, ...(renewed === null ? {} : { refreshedAt: signedInAt + renewed * dayMs }) });
      server.revoke();
      const fault = await faultOf(tokens.token());
      expect([fault.code, isExplained(fault), String(fault.context['next'] ?? '').includes('Publish')]).toEqual([
        'sign-in-needed',
        named,
        named,
      ]);
    },
  );

  test('that a sign-in lasts longer than a week is told once, and remembered', async () => {
    const clock = fakeClock();
    const told: number[] = [];
    const signedInAt = clock.now();
    const tokens = open({ clock, signedInAt, onLasting: (at) => Promise.reject(new Error('not kept', { cause: told.push(at) })) });
    await tokens.token();
    clock.jump(6 * dayMs);
    await tokens.token();
    expect(told).toEqual([]);
    clock.jump(2 * dayMs);
    await tokens.token();
    clock.jump(dayMs);
    await tokens.token();
    expect(told).toEqual([signedInAt + 8 * dayMs]);
    server.revoke();
    clock.jump(dayMs);
    expect(isExplained(await faultOf(tokens.token()))).toBe(false);
  });

  test.each([
    [401, { error: 'invalid_client' }, 'config-invalid'],
    [400, { error: 'unauthorized_client' }, 'config-invalid'],
    [429, {}, 'rate-limited'],
    [500, {}, 'unavailable'],
    [503, { error: 'temporarily_unavailable' }, 'unavailable'],
    // A network's sign-in page.
    [200, {}, 'unavailable'],
    [418, { error: 'teapot' }, 'unexpected'],
  ])('%i %j is %s', async (status, body, code) => {
    server.answers.push({ status, body });
    expect(await codeOf(open().token())).toBe(code);
  });

  test.each([429, 500, 503])('how long to wait is heard with status %i', async (status) => {
    server.answers.push({ status, headers: { 'retry-after': '7' } });
    expect(await faultOf(open().token())).toMatchObject({ code: 'rate-limited', persistence: 'temporary', retryAfterMs: 7_000 });
  });

  test('after a failure it is asked again', async () => {
    const tokens = open();
    server.answers.push({ status: 503 });
    expect(await codeOf(tokens.token())).toBe('unavailable');
    expect(server.accepts(await tokens.token())).toBe('valid');
  });

  test('nobody listens: weather', async () => {
    expect(await codeOf(open({ endpoint: 'http://127.0.0.1:9' }).token())).toBe('unavailable');
  });
});

describe('a sign-in', () => {
  const begin = (more: Partial<Parameters<typeof beginSignIn>[0]> = {}): Promise<SignIn> =>
    beginSignIn({
      provider: oauthProvider('google-drive', server.endpoint),
      clientId: testClient.id,
      clientSecret: testClient.secret,
      clock: fakeClock(),
      ...more,
    });
  /** A browser: follows the provider back to us. */
  const browse = (link: string): Promise<Response> => fetch(link);
  /** Where the provider would send it. */
  const backTo = async (link: string): Promise<URL> => new URL((await fetch(link, { redirect: 'manual' })).headers.get('location') ?? '');

  test('the browser goes to the provider and comes back; what was given is exchanged with the verifier', async () => {
    const begun = await begin();
    const finished = begun.finished();
    const page = await browse(begun.link);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('You can close this window')]);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await finished).refreshToken).toMatch(/^planted-refresh/);
    expect(begun.link).not.toContain('planted');
    // Nobody listens any more.
    await expect(fetch(new URL(new URL(begun.link).searchParams.get('redirect_uri') ?? ''))).rejects.toThrow();
  });

  test('the link asks for a lasting sign-in, the least right and PKCE', async () => {
    const begun = await begin();
    const { searchParams } = new URL(begun.link);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      scope: 'https://www.googleapis.com/auth/drive.file',
      access_type: 'offline',
      prompt: 'consent',
      code_challenge_method: 'S256',
    });
    expect(searchParams.get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}$/);
    await begun.close();
  });

  test('the person says no', async () => {
    server.refuses = true;
    const begun = await begin();
    const ended = begun.finished().catch((error: unknown) => error as Fault);
    expect((await browse(begun.link)).status).toBe(200);
    const fault = (await ended) as Fault;
    expect(fault).toMatchObject({ code: 'permission-denied', context: { next: expect.stringContaining('allow it') } });
    expectPage(fault, 'docs/setup/google-drive.md');
  });

  // RFC 6749, 4.1.2.1.
  test.each([
    ['server_error', 'unavailable', 'sign-in-unavailable'],
    ['temporarily_unavailable', 'unavailable', 'sign-in-unavailable'],
    ['invalid_scope', 'config-invalid', 'client-refused'],
    ['unauthorized_client', 'config-invalid', 'client-refused'],
    ['unsupported_response_type', 'config-invalid', 'client-refused'],
    ['invalid_request', 'config-invalid', 'client-refused'],
    ['teapot', 'unexpected', undefined],
  ])('the provider ends it with %s: that is no refusal of the person', async (error, code, say) => {
    server.refuses = error;
    for (const come of ['back', 'pasted'] as const) {
      const begun = await begin();
      const ended = begun.finished().catch((reason: unknown) => reason as Fault);
      if (come === 'pasted') begun.answer((await backTo(begun.link)).href);
      else {
        const page = await browse(begun.link);
        expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Google did not sign you in')]);
      }
      expect(await ended).toMatchObject({ code, message: expect.stringContaining(error) });
      expect(((await ended) as Fault).context['say']).toBe(say);
    }
  });

  test('other paths, hosts, methods, states and endless addresses change nothing; the right answer still counts, and once', async () => {
    const begun = await begin();
    const finished = begun.finished();
    const right = await backTo(begun.link);
    const wrong = (change: (url: URL) => void): URL => {
      const url = new URL(right);
      change(url);
      return url;
    };
    const statuses = [
      (await fetch(wrong((url) => (url.pathname = '/')))).status,
      (await fetch(wrong((url) => url.searchParams.set('state', newState())))).status,
      (await fetch(wrong((url) => url.searchParams.delete('state')))).status,
      (await fetch(wrong((url) => url.searchParams.delete('code')))).status,
      (await fetch(wrong((url) => url.searchParams.set('pad', 'x'.repeat(9000))))).status,
      (await fetch(right, { method: 'POST' })).status,
      (await fetch(wrong((url) => (url.hostname = 'localhost')))).status,
    ];
    expect(statuses).toEqual([404, 400, 400, 400, 404, 404, 404]);
    expect(server.forms).toEqual([]);
    expect((await fetch(right)).status).toBe(200);
    expect((await finished).refreshToken).toMatch(/^planted/);
    expect(server.forms).toHaveLength(1);
  });

  /** Whether anybody takes a connection there, or why nobody does. */
  const listensAt = async (url: URL): Promise<unknown> =>
    await fetch(url).then(
      ({ status }) => status,
      (error: unknown) => ((error as Error).cause as NodeJS.ErrnoException).code,
    );

  test.each([
    ['a browser comes back', async (_: SignIn, right: URL) => expect((await fetch(right)).status).toBe(200)],
    ['an address is pasted', (begun: SignIn, right: URL) => Promise.resolve(begun.answer(right.href))],
  ])('once %s nobody listens any more, while the provider still thinks about the exchange', async (_, come) => {
    let exchange: () => void = () => undefined;
    const asked = new Promise<void>((isAsked) => {
      server.beforeAnswer = () => {
        isAsked();
        return new Promise((go) => (exchange = go));
      };
    });
    const begun = await begin();
    const finished = begun.finished();
    const right = await backTo(begun.link);
    await come(begun, right);
    await asked;
    expect(await listensAt(right)).toBe('ECONNREFUSED');
    exchange();
    expect((await finished).refreshToken).toMatch(/^planted/);
    expect(server.forms).toHaveLength(1);
  });

  test('a provider that never answers the exchange is given up after a minute', async () => {
    const clock = fakeClock();
    const begun = await begin({ clock });
    const asked = Promise.withResolvers<null>();
    server.beforeAnswer = () => {
      asked.resolve(null);
      return new Promise(() => undefined);
    };
    const finished = begun.finished().catch((error: unknown) => error);
    await browse(begun.link);
    await asked.promise;
    await clock.advance(60_000);
    expect(await finished).toMatchObject({ code: 'timeout', message: 'Google did not answer within a minute' });
    expect(clock.sleepers()).toEqual([]);
  });

  test('after five minutes nobody is waited for, nor listened to, whoever asks for what came of it', async () => {
    const clock = fakeClock();
    const begun = await begin({ clock });
    const right = await backTo(begun.link);
    await clock.advance(5 * 60_000 + 1);
    expect(await listensAt(right)).toBe('ECONNREFUSED');
    expect(await codeOf(begun.finished())).toBe('timeout');
  });

  test('it can be called off', async () => {
    const stop = new AbortController();
    const begun = await begin({ signal: stop.signal });
    const code = codeOf(begun.finished());
    stop.abort();
    expect(await code).toBe('cancelled');
  });

  test('the address that a browser elsewhere ended on is taken; any other is not', async () => {
    const begun = await begin();
    const right = await backTo(begun.link);
    for (const text of ['', 'hello', 'https://example.org/?code=x', right.href.replace(/state=[^&]+/, 'state=x')]) {
      expect([text, await codeOf((async () => begun.answer(text))())]).toEqual([text, 'config-invalid']);
    }
    begun.answer(` ${right.href}\n`);
    expect((await begun.finished()).refreshToken).toMatch(/^planted/);
  });

  test('Dropbox: the address that was registered, and its own permissions', async () => {
    const dropbox = oauthProvider('dropbox', server.endpoint);
    expect(dropbox.fixedRedirect).toEqual({ port: 53_682, path: '/' });
    // Another port than the registered one: any program of this computer may be talking from that one while this runs.
    const port = await freePort();
    const provider = { ...dropbox, fixedRedirect: { port, path: '/' } };
    const begun = await begin({ provider });
    const { searchParams } = new URL(begun.link);
    expect([searchParams.get('redirect_uri'), searchParams.get('token_access_type')]).toEqual([`http://127.0.0.1:${port}/`, 'offline']);
    expect(await codeOf(begin({ provider }))).toBe('locked');
    await begun.close();
  });
});

test('only addresses of the web are given to the system, and a system without an opener is no failure', async () => {
  for (const address of ['file:///etc/passwd', 'javascript:alert(1)', 'http://example.org/', '-h', '']) {
    expect([address, await openBrowser(address, '/nowhere')]).toEqual([address, false]);
  }
  expect(await openBrowser('https://example.org/', '/nowhere', 'aix')).toBe(false);
});
