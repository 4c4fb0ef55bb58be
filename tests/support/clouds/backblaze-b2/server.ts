import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { B2Keys } from '../../../../main/adapters/storage/backblaze-b2/settings.ts';
import { closed, listening, sendJson } from '../serve.ts';
import { authorize } from './authorize.ts';
import { answerCall } from './calls.ts';
import { byId, byName, sendVersion } from './downloads.ts';
import { newVersion } from './file-calls.ts';
import { Refusal, sendRefusal } from './refusal.ts';
import { addVersion, allCapabilities, newState, randomId, visible, type Bucket, type State } from './state.ts';
import { answerUpload } from './uploads.ts';

export interface B2ServerOptions {
  /** For the bytes, which are all that is large. Emptied by whoever made it. */
  readonly folder: string;
  readonly port?: number;
}

export interface KeyRights {
  readonly account?: string;
  /** Default: all that a backup needs. */
  readonly capabilities?: readonly string[];
  /** Names of buckets; default: all of the account. */
  readonly buckets?: readonly string[];
  readonly namePrefix?: string;
}

/** Backblaze B2, native interface, versions 1 to 4, as strict as the vendor's text says. Errors come with the vendor's codes. */
export interface B2Server {
  readonly port: number;
  readonly endpoint: string;
  /** `refuse(name)` is asked before each call, uploads and downloads included; what it gives is answered instead. */
  refuse: (call: string, request: IncomingMessage) => Refusal | null;
  /** Changes a reply on its way out. */
  tamper: (call: string, body: object) => object;
  /** Told of each call before anything is done. */
  onCall: (call: string) => void;
  /** A call waits for this before anything is done. */
  hold: (call: string) => Promise<void>;
  /** absoluteMinimumPartSize of the accounts; B2 does not say whether it ever differs from 5 MB. */
  minPart: number;
  addBucket(name: string, account?: string): string;
  addKey(rights?: KeyRights): B2Keys;
  removeKey(keyId: string): void;
  /** All tokens given so far have reached their 24 hours. */
  expireTokens(): void;
  expireUploadUrls(): void;
  /** `action` of each version of the name, newest first. */
  actionsOf(bucket: string, name: string): readonly string[];
  /** As somebody else's b2_hide_file would. */
  hide(bucket: string, name: string): void;
  /** Stores an empty file under whatever name, as another program may. */
  plant(bucket: string, name: string): void;
  /** Turns one bit of what is stored. */
  flipBit(bucket: string, name: string, offset: number): Promise<void>;
  readonly misuses: readonly string[];
  close(): Promise<void>;
}

export async function startB2Server({ folder, port }: B2ServerOptions): Promise<B2Server> {
  const state = newState(folder);
  const server = createServer((request, response) => void handle(request, response));
  const own = await listening(server, port);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await route(state, handles, request, response);
    } catch (error) {
      if (error instanceof Refusal) sendRefusal(request, response, error);
      else response.destroy();
    }
  }

  const handles: B2Server = {
    port: own,
    endpoint: `http://127.0.0.1:${own}`,
    refuse: () => null,
    tamper: (_, body) => body,
    onCall: () => undefined,
    hold: () => Promise.resolve(),
    misuses: state.misuses,
    get minPart() {
      return state.minPart;
    },
    set minPart(bytes) {
      state.minPart = bytes;
    },
    addBucket(name, account = 'account000001') {
      const bucket: Bucket = { accountId: account, bucketId: randomId('b'), name, names: [], byName: new Map() };
      state.buckets.set(name, bucket);
      return bucket.bucketId;
    },
    addKey({ account = 'account000001', capabilities = allCapabilities, buckets, namePrefix }: KeyRights = {}) {
      const key = { keyId: randomId('k'), applicationKey: randomId('K') };
      const only = buckets?.map((name) => bucketNamed(state, name)) ?? null;
      const rights = { keyId: key.keyId, secret: key.applicationKey, accountId: account, capabilities, buckets: only };
      state.keys.set(key.keyId, { ...rights, namePrefix: namePrefix ?? null });
      return key;
    },
    removeKey: (keyId) => void state.keys.delete(keyId),
    expireTokens: () => state.tokens.forEach((token) => (token.expired = true)),
    expireUploadUrls: () => state.urls.forEach((url) => (url.expired = true)),
    actionsOf: (bucket, name) => (bucketNamed(state, bucket).byName.get(name) ?? []).map(({ action }) => action),
    hide(name, file) {
      const bucket = bucketNamed(state, name);
      addVersion(state, newVersion(state, bucket, { action: 'hide', name: file, contentType: '', info: {}, sha1: '' }));
    },
    plant(name, file) {
      const sha1 = createHash('sha1').digest('hex');
      const given = { action: 'upload', name: file, contentType: 'text/plain', info: {}, sha1 } as const;
      addVersion(state, newVersion(state, bucketNamed(state, name), given));
    },
    async flipBit(bucket, name, offset) {
      const [segment] = visible(bucketNamed(state, bucket), name)?.segments ?? [];
      if (segment === undefined) throw new Error(`nothing is stored as ${name}`);
      const file = await open(segment.path, 'r+');
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
      await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, offset);
      await file.close();
    },
    close: () => closed(server),
  };
  return handles;
}

async function route(state: State, handles: B2Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://b2');
  const [, api, name = '', id] = /^\/b2api\/v([1-4])\/(b2_[a-z_]+)(?:\/(\w+))?$/.exec(url.pathname) ?? [];
  const [, bucket, file] = /^\/file\/([^/]+)\/(.+)$/.exec(request.url?.split('?')[0] ?? '') ?? [];
  const call = bucket === undefined ? name : 'b2_download_file_by_name';
  const refuse = (): void => {
    handles.onCall(call);
    const refusal = handles.refuse(call, request);
    if (refusal !== null) throw refusal;
  };
  if (bucket !== undefined && file !== undefined) {
    refuse();
    await sendVersion(request, response, byName(state, request, bucket, file));
    return;
  }
  if (api === undefined) throw new Refusal(404, 'not_found', `no such address: ${url.pathname}`);
  if (call === 'b2_download_file_by_id') {
    refuse();
    await sendVersion(request, response, byId(state, request, url.searchParams.get('fileId') ?? ''));
    return;
  }
  sendJson(response, 200, handles.tamper(call, await answer(state, request, { call, id, api: Number(api), refuse, hold: handles.hold })));
}

interface Asked {
  readonly call: string;
  readonly id: string | undefined;
  readonly api: number;
  readonly refuse: () => void;
  readonly hold: B2Server['hold'];
}

async function answer(state: State, request: IncomingMessage, { call, id, api, refuse, hold }: Asked): Promise<object> {
  if (call === 'b2_upload_file' || call === 'b2_upload_part') {
    if (request.method !== 'POST') throw new Refusal(405, 'method_not_allowed', 'only POST is supported');
    return (await answerUpload(state, request, id ?? '', api, refuse)).body;
  }
  refuse();
  await hold(call);
  return call === 'b2_authorize_account' ? authorize(state, request, api) : await answerCall(state, request, call, api);
}

function bucketNamed(state: State, name: string): Bucket {
  const bucket = state.buckets.get(name);
  if (bucket === undefined) throw new Error(`there is no bucket ${name}`);
  return bucket;
}

/** What a section of rclone's configuration needs for this server. */
export function rcloneSection(server: { readonly endpoint: string }, keys: B2Keys): Readonly<Record<string, string>> {
  return { type: 'b2', account: keys.keyId, key: keys.applicationKey, endpoint: server.endpoint };
}
