import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Fault } from '../../contract/faults.ts';
import type { Clock } from '../../engine/ports.ts';
import { cancelledFault } from '../../engine/storage/cancel.ts';
import { limitedTime, type TimeLimit } from '../network/limited-time.ts';
import { challengeOf, newState, newVerifier, sameSecret } from './pkce.ts';
import type { OAuthProvider } from './providers.ts';
import { signInRefusal } from './refusals.ts';
import { requestToken } from './token-request.ts';

export interface SignInOptions {
  readonly provider: OAuthProvider;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

export interface SignedIn {
  readonly refreshToken: string;
}

export interface SignIn {
  /** What the person opens in a browser. Holds no secret. */
  readonly link: string;
  /** Nobody is waited for any longer then, milliseconds since 1970. */
  readonly expiresAt: number;
  /** Settles when the browser has come back here. Faults: cancelled, timeout, permission-denied (the person said no), unavailable, config-invalid (the client) or unexpected as the provider refuses, and those of the exchange. */
  finished(): Promise<SignedIn>;
  /**
   * For a browser on another computer: the address that it ended on, which did not answer there. finished() settles with what comes of it. Fault
   * config-invalid: this is no such address, and the wait goes on.
   */
  readonly answer: (address: string) => void;
  /** Waits no more. */
  readonly close: () => Promise<void>;
}

/** So long the listener waits for the browser. */
const patienceMs = 5 * 60_000;
/** So long a provider may take for one answer. */
const answerMs = 60_000;
const operation = 'sign in';

/** Of one request to the provider that belongs to a sign-in: somebody waits for it in front of a screen, and the port stays taken. */
export function answerLimit(clock: Clock, { label }: OAuthProvider): TimeLimit {
  const late = (): Fault => new Fault('timeout', `${label} did not answer within a minute`, { operation });
  return { clock, ms: answerMs, late };
}

/**
 * A sign-in in the system's browser (RFC 8252): the provider sends the browser back to a listener of ours on loopback, under a port and a path that
 * nobody can guess where the provider permits it. PKCE and a state that is good once tie the answer to this question.
 */
export async function beginSignIn(options: SignInOptions): Promise<SignIn> {
  const { provider, clientId, clientSecret, clock, signal } = options;
  const verifier = newVerifier();
  const state = newState();
  const path = provider.fixedRedirect?.path ?? `/${randomBytes(16).toString('base64url')}`;
  let answered = false;
  let settle: (code: string) => void = () => undefined;
  let fail: (fault: Fault) => void = () => undefined;
  const code = new Promise<string>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  code.catch(() => undefined);

  const server = createServer((request, response) => receive(request, response));
  const port = await listen(server, provider);
  const redirect = `http://127.0.0.1:${port}${path}`;
  const end = new AbortController();
  signal?.addEventListener('abort', () => fail(cancelledFault(operation)), { once: true, signal: end.signal });
  clock.sleep(patienceMs, end.signal).then(
    () => {
      listenNoMore();
      fail(new Fault('timeout', 'nobody came back from the browser within five minutes', { operation, persistence: 'permanent' }));
    },
    () => undefined,
  );

  /** At the one answer, not after its exchange, which a slow provider draws out. Called before the page is written: its connection stays until then. */
  function listenNoMore(): void {
    answered = true;
    server.close();
  }

  /** Anything that is not the one answer is turned away, and the wait goes on. */
  function receive(request: IncomingMessage, response: ServerResponse): void {
    const url = URL.parse(request.url ?? '', redirect);
    const isOurs =
      request.headers.host === `127.0.0.1:${port}` &&
      url?.pathname === path &&
      request.method === 'GET' &&
      (request.url ?? '').length < 8192;
    if (!isOurs || answered) {
      page(response, 404, 'Nothing is here.');
      return;
    }
    const found = answerIn(url, state, provider);
    if ('wrong' in found) {
      page(response, 400, 'This is no answer to the sign-in that is waiting.');
      return;
    }
    listenNoMore();
    page(response, 200, 'code' in found ? signedIn : found.refusal.code === 'permission-denied' ? notAllowed : notSignedIn(provider));
    take(found);
  }

  function take(found: Answer): void {
    if ('code' in found) settle(found.code);
    else fail(found.refusal);
  }

  async function exchange(found: string): Promise<SignedIn> {
    const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
    const form = {
      grant_type: 'authorization_code',
      code: found,
      redirect_uri: redirect,
      code_verifier: verifier,
      client_id: clientId,
      ...secret,
    };
    const reply = await limitedTime(answerLimit(clock, provider), signal, (limited) => requestToken(provider, form, limited));
    if (reply.refresh_token !== undefined) return { refreshToken: reply.refresh_token };
    throw new Fault('config-invalid', `${provider.label} gave no lasting sign-in`, {
      operation,
      context: { next: `Check the settings of your app: ${provider.setupPage} shows them.` },
    });
  }

  // A code is good for one exchange, however many wait for what comes of it.
  let result: Promise<SignedIn> | undefined;
  async function exchanged(): Promise<SignedIn> {
    try {
      return await exchange(await code);
    } finally {
      await close();
    }
  }

  function finished(): Promise<SignedIn> {
    return (result ??= exchanged());
  }

  function answer(address: string): void {
    const url = URL.parse(address.trim());
    if (url === null || url.pathname !== path) {
      throw new Fault('config-invalid', 'this is not the address that the browser ended on; it begins with http://127.0.0.1', {
        operation,
      });
    }
    const found = answerIn(url, state, provider);
    if ('wrong' in found) throw new Fault('config-invalid', found.wrong, { operation });
    listenNoMore();
    take(found);
  }

  async function close(): Promise<void> {
    end.abort();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }

  return {
    link: linkOf(provider, clientId, redirect, state, challengeOf(verifier)),
    expiresAt: clock.now() + patienceMs,
    finished,
    answer,
    close,
  };
}

function linkOf(provider: OAuthProvider, clientId: string, redirect: string, state: string, challenge: string): string {
  const link = new URL(provider.authorizeUrl);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirect,
    scope: provider.scopes.join(' '),
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...provider.authorizeParameters,
  };
  for (const [name, value] of Object.entries(parameters)) link.searchParams.set(name, value);
  return link.href;
}

type Answer = { readonly code: string } | { readonly refusal: Fault };

/** The provider's answer; `wrong` says why it is none to this sign-in, and the right one may still come. */
function answerIn({ searchParams }: URL, state: string, provider: OAuthProvider): Answer | { readonly wrong: string } {
  if (!sameSecret(searchParams.get('state') ?? '', state)) return { wrong: 'this answers another sign-in than the one that is waiting' };
  const error = searchParams.get('error');
  if (error !== null) return { refusal: signInRefusal(provider, error) };
  const code = searchParams.get('code');
  return code === null || code === '' ? { wrong: 'this answer brings no code' } : { code };
}

async function listen(server: ReturnType<typeof createServer>, provider: OAuthProvider): Promise<number> {
  const wanted = provider.fixedRedirect?.port ?? 0;
  try {
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(wanted, '127.0.0.1', done);
    });
  } catch (error) {
    throw new Fault('locked', `the port ${wanted} of this computer, which ${provider.label} sends the browser to, is in use`, {
      operation,
      context: { port: wanted, next: 'End the other sign-in or program that uses it, then try again.' },
      cause: error,
    });
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : wanted;
}

const signedIn = 'You are signed in. You can close this window and go back to Holdfast.';
const notAllowed = 'You did not allow it, so nothing was changed. You can close this window.';
const notSignedIn = ({ label }: OAuthProvider): string =>
  `${label} did not sign you in, so nothing was changed. You can close this window; Holdfast says why.`;

function page(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(
    `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Holdfast</title></head><body><p>${text}</p></body></html>`,
  );
}
