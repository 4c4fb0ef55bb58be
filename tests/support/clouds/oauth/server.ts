import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closed, listening, receiveBytes, sendJson, type TokenAuthority } from '../serve.ts';

interface Pending {
  readonly client: string;
  readonly redirect: string;
  readonly challenge: string;
}

export interface OAuthServer extends TokenAuthority {
  readonly endpoint: string;
  /** The person at the browser says no (true), or the provider ends it for a reason of its own: its word for that. */
  refuses: boolean | string;
  /** Answered to the next requests for a token, in turn. */
  readonly answers: { readonly status: number; readonly body?: object; readonly headers?: Readonly<Record<string, string>> }[];
  /** Awaited before a request for a token is answered. */
  beforeAnswer: () => Promise<void>;
  /** Seconds that an access token lives. */
  lifeSeconds: number;
  /** A refresh gives a new refresh token, and the old one ends. */
  rotates: boolean;
  /** Bodies of the requests for tokens so far, and the addresses of all requests. */
  readonly forms: URLSearchParams[];
  readonly addresses: string[];
  expire(): void;
  revoke(): void;
  /** A refresh token as a sign-in with the client of the tests gives it. */
  issue(): string;
  /** True when the request was one of these. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  close(): Promise<void>;
}

interface Client {
  readonly id: string;
  readonly secret: string;
}

export const testClient: Client = { id: 'client-of-the-tests', secret: 'planted-client-secret' };
export const otherClient: Client = { id: 'other-client-of-the-tests', secret: 'planted-other-secret' };
/** By their ids. */
const clients = new Map([testClient, otherClient].map((client) => [client.id, client]));

/** Signs in at Google's and Dropbox's addresses alike: checks client, redirect, PKCE and grants as RFC 6749, 7636 and 8252 say. */
export async function startOAuthServer(port = 0): Promise<OAuthServer> {
  const codes = new Map<string, Pending>();
  /** With the id of the client that each was given to. */
  const refreshTokens = new Map<string, string>();
  const good = new Set<string>();
  const old = new Set<string>();
  const make = (kind: string): string => `planted-${kind}-${randomBytes(18).toString('base64url')}`;
  const http = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });

  function handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    if (['/o/oauth2/v2/auth', '/oauth2/authorize'].includes(url.pathname) && request.method === 'GET') {
      server.addresses.push(request.url ?? '');
      authorize(url, response);
      return true;
    }
    if (['/token', '/oauth2/token'].includes(url.pathname) && request.method === 'POST') {
      server.addresses.push(request.url ?? '');
      answerToken(request, response).catch(() => response.destroy());
      return true;
    }
    return false;
  }

  function authorize({ searchParams: given }: URL, response: ServerResponse): void {
    const redirect = given.get('redirect_uri') ?? '';
    const back = URL.parse(redirect);
    const wrong =
      !clients.has(given.get('client_id') ?? '') ||
      given.get('response_type') !== 'code' ||
      given.get('code_challenge_method') !== 'S256' ||
      !/^[\w-]{43}$/.test(given.get('code_challenge') ?? '') ||
      (given.get('scope') ?? '') === '' ||
      back?.hostname !== '127.0.0.1';
    if (wrong || back === null) {
      response.writeHead(400, { 'content-type': 'text/html' }).end('redirect_uri_mismatch or invalid request');
      return;
    }
    const state = given.get('state');
    if (state !== null) back.searchParams.set('state', state);
    const { refuses } = server;
    if (refuses !== false) back.searchParams.set('error', refuses === true ? 'access_denied' : refuses);
    else {
      const code = make('code');
      codes.set(code, { client: given.get('client_id') ?? '', redirect, challenge: given.get('code_challenge') ?? '' });
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { location: back.href }).end();
  }

  async function answerToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams((await receiveBytes(request)).toString('utf8'));
    server.forms.push(form);
    await server.beforeAnswer();
    const told = server.answers.shift();
    if (told !== undefined) {
      sendJson(response, told.status, told.body ?? {}, told.headers);
      return;
    }
    const client = clients.get(form.get('client_id') ?? '');
    if (client === undefined || ![null, client.secret].includes(form.get('client_secret'))) {
      sendJson(response, 401, { error: 'invalid_client' });
    } else if (form.get('grant_type') === 'authorization_code') exchange(client, form, response);
    else if (form.get('grant_type') === 'refresh_token') refresh(client, form, response);
    else sendJson(response, 400, { error: 'unsupported_grant_type' });
  }

  function exchange({ id }: Client, form: URLSearchParams, response: ServerResponse): void {
    const code = form.get('code') ?? '';
    const pending = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (
      pending === undefined ||
      pending.client !== id ||
      pending.redirect !== form.get('redirect_uri') ||
      pending.challenge !== challenge
    ) {
      sendJson(response, 400, { error: 'invalid_grant' });
    } else sendJson(response, 200, { ...access(), refresh_token: issueTo(id) });
  }

  function refresh({ id }: Client, form: URLSearchParams, response: ServerResponse): void {
    const token = form.get('refresh_token') ?? '';
    if (refreshTokens.get(token) !== id) {
      sendJson(response, 400, { error: 'invalid_grant' });
      return;
    }
    if (server.rotates) refreshTokens.delete(token);
    sendJson(response, 200, { ...access(), ...(server.rotates ? { refresh_token: issueTo(id) } : {}) });
  }

  function issueTo(id: string): string {
    const token = make('refresh');
    refreshTokens.set(token, id);
    return token;
  }

  function access(): object {
    const token = make('access');
    good.add(token);
    return { access_token: token, token_type: 'Bearer', expires_in: server.lifeSeconds };
  }

  const own = await listening(http, port);
  const server: OAuthServer = {
    endpoint: `http://127.0.0.1:${own}`,
    refuses: false,
    answers: [],
    beforeAnswer: () => Promise.resolve(),
    lifeSeconds: 3600,
    rotates: false,
    forms: [],
    addresses: [],
    accepts: (token) => (good.has(token) ? 'valid' : old.has(token) ? 'expired' : 'unknown'),
    expire() {
      for (const token of good) old.add(token);
      good.clear();
    },
    revoke() {
      refreshTokens.clear();
      server.expire();
    },
    issue: () => issueTo(testClient.id),
    handle,
    close: () => closed(http),
  };
  return server;
}
