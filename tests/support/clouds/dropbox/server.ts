import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closed, listening, receiveBytes, sendJson, type TokenAuthority } from '../serve.ts';
import { answerContent } from './content.ts';
import { Refusal, sendRefusal } from './refusal.ts';
import { answerRpc } from './rpc.ts';
import { argumentOf, State } from './state.ts';

export interface DropboxServerOptions {
  readonly folder: string;
  readonly authority: TokenAuthority;
  readonly port?: number;
}

/** Dropbox, interface version 2, one account, as strict as the vendor's text says. All hosts are one. */
export interface DropboxServer {
  readonly port: number;
  readonly endpoint: string;
  readonly state: State;
  /** Asked before each call; what it gives is answered instead. */
  refuse: (route: string, request: IncomingMessage) => Refusal | null;
  /** Changes a JSON reply on its way out. */
  tamper: (route: string, body: unknown) => unknown;
  /** Entries in a page of a listing. */
  pageSize: number;
  now: () => number;
  /** For other fronts, such as a proxy with TLS. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  flipBit(path: string, offset: number): Promise<void>;
  close(): Promise<void>;
}

export async function startDropboxServer({ folder, authority, port }: DropboxServerOptions): Promise<DropboxServer> {
  const state = new State(folder);
  const http = createServer((request, response) => handle(request, response));

  function handle(request: IncomingMessage, response: ServerResponse): void {
    answer(request, response).catch((error: unknown) => {
      request.resume();
      if (response.headersSent) response.destroy();
      else if (error instanceof Refusal) sendRefusal(response, error);
      // A body that broke off: nobody listens any more.
      else response.destroy();
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = (request.url ?? '').replace(/^\/2\//, '');
    if (request.method !== 'POST') throw new Refusal(400, ['only POST is taken']);
    authorize(request);
    const refusal = server.refuse(route, request);
    if (refusal !== null) throw refusal;
    if (request.headers['dropbox-api-arg'] !== undefined) {
      await answerContent(state, route, request, response, server.now());
      return;
    }
    const body = (await receiveBytes(request)).toString('utf8');
    const argument = bodyArgument(body);
    sendJson(response, 200, server.tamper(route, await answerRpc(state, route, argument, server.pageSize, server.now())));
  }

  function bodyArgument(body: string): unknown {
    try {
      return body === '' ? null : argumentOf(body);
    } catch {
      throw new Refusal(400, ['the body is no JSON']);
    }
  }

  function authorize(request: IncomingMessage): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new Refusal(400, ['the Authorization header is missing']);
    const judged = authority.accepts(token);
    if (judged !== 'valid') throw new Refusal(401, [judged === 'expired' ? 'expired_access_token' : 'invalid_access_token']);
  }

  const own = await listening(http, port);
  const server: DropboxServer = {
    port: own,
    endpoint: `http://127.0.0.1:${own}`,
    state,
    refuse: () => null,
    tamper: (_, body) => body,
    pageSize: 500,
    now: Date.now,
    handle,
    async flipBit(path, offset) {
      const file = state.files.get(path.toLowerCase());
      if (file === undefined) throw new Error(`no ${path}`);
      const handle = await open(file.blob, 'r+');
      try {
        const byte = Buffer.alloc(1);
        await handle.read(byte, 0, 1, offset);
        byte[0] = (byte[0] ?? 0) ^ 1;
        await handle.write(byte, 0, 1, offset);
      } finally {
        await handle.close();
      }
    },
    close: () => closed(http),
  };
  return server;
}

/** What an rclone remote needs beside TLS and a proxy: it knows no other address. */
export function rcloneSection(token: string): Readonly<Record<string, string>> {
  const json = JSON.stringify({ access_token: token, token_type: 'bearer', refresh_token: 'unused', expiry: '2090-01-01T00:00:00Z' });
  return { type: 'dropbox', token: json };
}

export const dropboxHosts = ['api.dropboxapi.com', 'content.dropboxapi.com', 'notify.dropboxapi.com', 'api.dropbox.com'] as const;
