import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closed, listening, receiveBytes, sendFile, sendJson, type TokenAuthority } from '../serve.ts';
import { parseQuery } from './query.ts';
import { Refusal, sendRefusal } from './refusal.ts';
import { resourceOf, State, type Item, type Metadata } from './state.ts';
import { answerUpload, type UploadFaults } from './uploads.ts';

export interface DriveServerOptions {
  readonly folder: string;
  readonly authority: TokenAuthority;
  readonly port?: number;
}

/** The Drive API, version 3, one account, as strict as the vendor's text says. */
export interface DriveServer {
  readonly port: number;
  readonly endpoint: string;
  readonly state: State;
  /** Asked before each call, named by method and path; what it gives is answered instead. */
  refuse: (call: string, request: IncomingMessage) => Refusal | null;
  /** Changes what is told of a file. */
  tamper: (resource: Record<string, unknown>) => Record<string, unknown>;
  readonly faults: UploadFaults;
  /** Entries in a page of a listing at most. */
  pageSize: number;
  /** What listings do not show yet. */
  hidden: (item: Item) => boolean;
  now: () => number;
  /** For other fronts, such as a proxy with TLS. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  flipBit(name: string, offset: number): Promise<void>;
  close(): Promise<void>;
}

export async function startDriveServer({ folder, authority, port }: DriveServerOptions): Promise<DriveServer> {
  const state = new State(folder);
  const http = createServer((request, response) => handle(request, response));

  function handle(request: IncomingMessage, response: ServerResponse): void {
    answer(request, response).catch((error: unknown) => {
      request.resume();
      if (response.headersSent || !(error instanceof Refusal)) response.destroy();
      else sendRefusal(response, error);
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', server.endpoint);
    authorize(request);
    const refusal = server.refuse(`${request.method ?? ''} ${url.pathname}`, request);
    if (refusal !== null) throw refusal;
    if (url.pathname.startsWith('/upload/drive/v3/files')) await answerUpload(state, url, request, response, server.faults, server.now());
    else await answerCall(url, request, response);
  }

  function authorize(request: IncomingMessage): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (authority.accepts(token) !== 'valid') throw new Refusal(401, 'authError');
  }

  async function answerCall(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    const fields = url.searchParams.get('fields') ?? '';
    const told = (item: Item): Record<string, unknown> => server.tamper(resourceOf(item, fields));
    if (url.pathname === '/drive/v3/about') {
      const usage = String(state.used);
      sendJson(response, 200, {
        user: { displayName: 'A Person', emailAddress: 'person@example.org', permissionId: '1' },
        storageQuota: { limit: String(state.quota), usage, usageInDrive: usage, usageInDriveTrash: '0' },
      });
    } else if (url.pathname === '/drive/v3/files/generateIds') {
      const ids = Array.from({ length: Number(url.searchParams.get('count') ?? 10) }, () => state.newId());
      for (const id of ids) state.generated.add(id);
      sendJson(response, 200, { kind: 'drive#generatedIds', space: 'drive', ids });
    } else if (url.pathname === '/drive/v3/files' && method === 'GET') sendJson(response, 200, listPage(url, told));
    else if (url.pathname === '/drive/v3/files' && method === 'POST') {
      const metadata = JSON.parse((await receiveBytes(request)).toString('utf8')) as Metadata;
      sendJson(response, 200, told(state.create(metadata, null)));
    } else await answerFile(url, request, response, told);
  }

  async function answerFile(
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
    told: (item: Item) => Record<string, unknown>,
  ): Promise<void> {
    const id = decodeURIComponent(/^\/drive\/v3\/files\/([^/]+)$/.exec(url.pathname)?.[1] ?? '');
    const item = state.get(id);
    switch (request.method) {
      case 'GET':
        if (url.searchParams.get('alt') !== 'media') sendJson(response, 200, told(item));
        else if (item.content === null) throw new Refusal(403, 'fileNotDownloadable');
        else await sendFile(request, response, item.content.blob, item.content.size, { 'content-type': item.mimeType });
        return;
      case 'DELETE':
        state.remove(item.id);
        response.writeHead(204).end();
        return;
      case 'PATCH': {
        const metadata = JSON.parse((await receiveBytes(request)).toString('utf8')) as Metadata & { readonly trashed?: boolean };
        if (metadata.trashed !== undefined) item.trashed = metadata.trashed;
        sendJson(response, 200, told(state.replace(item.id, metadata, null)));
        return;
      }
      default:
        throw new Refusal(405, 'methodNotAllowed');
    }
  }

  function listPage(url: URL, told: (item: Item) => Record<string, unknown>): object {
    const size = Math.min(Number(url.searchParams.get('pageSize') ?? 100), server.pageSize);
    const token = url.searchParams.get('pageToken');
    let found: readonly Item[];
    if (token === null) {
      const test = parseQuery(url.searchParams.get('q') ?? 'trashed = false');
      const parentsExist = [...(url.searchParams.get('q') ?? '').matchAll(/'([^']+)' in parents/g)].every(([, id = '']) =>
        state.items.has(state.resolve(id)),
      );
      if (!parentsExist) throw new Refusal(404, 'notFound');
      const rooted = (item: Item): Item => ({
        ...item,
        parents: item.parents.flatMap((id) => (id === state.rootId ? [id, 'root'] : [id])),
      });
      found = [...state.items.values()].filter((item) => item.id !== state.rootId && test(rooted(item)) && !server.hidden(item));
    } else {
      found = state.pages.get(token) ?? [];
      if (!state.pages.has(token)) throw new Refusal(400, 'invalid');
    }
    const next = found.length > size ? state.newId() : null;
    if (next !== null) state.pages.set(next, found.slice(size));
    return {
      kind: 'drive#fileList',
      incompleteSearch: false,
      files: found.slice(0, size).map(told),
      ...(next === null ? {} : { nextPageToken: next }),
    };
  }

  const own = await listening(http, port);
  const server: DriveServer = {
    port: own,
    endpoint: `http://127.0.0.1:${own}`,
    state,
    refuse: () => null,
    tamper: (resource) => resource,
    faults: { keepAtMost: Number.POSITIVE_INFINITY, forgetBeyond: Number.POSITIVE_INFINITY },
    pageSize: 1000,
    hidden: () => false,
    now: Date.now,
    handle,
    async flipBit(name, offset) {
      const file = [...state.items.values()].find((item) => item.name === name && item.content !== null)?.content;
      if (file === null || file === undefined) throw new Error(`no ${name}`);
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
export function rcloneSection(server: DriveServer, token: string): Readonly<Record<string, string>> {
  const json = JSON.stringify({ access_token: token, token_type: 'Bearer', refresh_token: 'unused', expiry: '2090-01-01T00:00:00Z' });
  return { type: 'drive', scope: 'drive.file', root_folder_id: server.state.rootId, token: json };
}

export const driveHosts = ['www.googleapis.com', 'oauth2.googleapis.com'] as const;
