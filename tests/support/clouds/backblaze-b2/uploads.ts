import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { checkPrefix } from './authorize.ts';
import { newVersion, typeOf } from './file-calls.ts';
import { checkInfo, checkName, decodeName } from './names.ts';
import { badRequest, Refusal } from './refusal.ts';
import { describeVersion } from './replies.ts';
import { addVersion, randomId, type Bucket, type Segment, type State, type UploadUrl, type Version } from './state.ts';

const largest = 5_000_000_000;

/** A POST to an address for uploads. It serves one at a time, and after any failure no more. */
export async function answerUpload(
  state: State,
  request: IncomingMessage,
  id: string,
  api: number,
  refuse: () => void,
): Promise<{ readonly body: object; readonly sha1: string }> {
  const url = state.urls.get(id);
  if (url === undefined || request.headers.authorization !== url.token) throw new Refusal(401, 'bad_auth_token', 'Invalid upload token');
  if (url.state === 'busy') {
    state.misuses.push('an upload URL served two uploads at once');
    throw new Refusal(400, 'auth_token_limit', `more than one upload using auth token ${url.token}`);
  }
  if (url.state === 'dead') {
    state.misuses.push('an upload URL was used after it had failed');
    throw new Refusal(401, 'bad_auth_token', 'Upload token is no longer valid');
  }
  url.state = 'busy';
  try {
    if (url.expired) throw new Refusal(401, 'expired_auth_token', 'Upload token has expired');
    refuse();
    const { target } = url;
    const outcome = 'fileId' in target ? await receivePart(state, request, target) : await receiveWhole(state, request, url, target, api);
    url.state = 'idle';
    return outcome;
  } catch (error) {
    url.state = 'dead';
    throw error;
  }
}

async function receiveWhole(state: State, request: IncomingMessage, { key }: UploadUrl, bucket: Bucket, api: number) {
  const name = decodeName(header(request, 'x-bz-file-name'));
  checkName(name);
  checkPrefix(key, name);
  const contentType = typeOf(header(request, 'content-type'));
  const info: Record<string, string> = {};
  for (const [header, value] of Object.entries(request.headers)) {
    if (header.startsWith('x-bz-info-')) info[header.slice(10)] = decodeName(String(value));
  }
  checkInfo(info);
  const segment = await receive(state, request);
  const { sha1, said } = segment;
  const version = newVersion(state, bucket, { action: 'upload', name, contentType, info, sha1: said, segments: [segment] });
  addVersion(state, version);
  return { body: describeVersion(version, api), sha1 };
}

async function receivePart(state: State, request: IncomingMessage, version: Version) {
  const partNumber = Number(header(request, 'x-bz-part-number'));
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > 10_000) throw badRequest('Part number must be in range 1 - 10000');
  const part = await receive(state, request);
  // It may have been finished or cancelled while the bytes came.
  if (version.action !== 'start' || !state.versions.has(version.fileId)) {
    await rm(part.path, { force: true });
    throw badRequest(`No active upload for: ${version.fileId}`);
  }
  const older = version.parts.get(partNumber);
  version.parts.set(partNumber, part);
  if (older !== undefined) await rm(older.path, { force: true });
  const { size, sha1, uploadedAt } = part;
  return { body: { fileId: version.fileId, partNumber, contentLength: size, contentSha1: part.said, uploadTimestamp: uploadedAt }, sha1 };
}

/** The body to disk, its SHA-1 compared in whichever of the three ways it was given. `said`: as B2 then repeats it. */
async function receive(state: State, request: IncomingMessage): Promise<Segment & { readonly said: string }> {
  const length = Number(request.headers['content-length'] ?? NaN);
  if (request.headers['transfer-encoding'] !== undefined || Number.isNaN(length)) throw badRequest('Missing header: Content-Length');
  const claimed = header(request, 'x-bz-content-sha1');
  if (!/^([0-9a-f]{40}|hex_digits_at_end|do_not_verify)$/.test(claimed)) throw badRequest(`Invalid X-Bz-Content-Sha1: ${claimed}`);
  const behind = claimed === 'hex_digits_at_end' ? 40 : 0;
  if (length < behind) throw badRequest('Not enough bytes for the sha1 at the end');
  if (length > largest) throw badRequest('File is too large');
  const path = join(state.folder, randomId('data-'));
  const hash = createHash('sha1');
  let size = 0;
  let end = Buffer.alloc(0);
  try {
    await pipeline(
      request,
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          const content = piece.subarray(0, Math.max(0, length - behind - size));
          size += content.byteLength;
          if (content.byteLength < piece.byteLength) end = Buffer.concat([end, piece.subarray(content.byteLength)]);
          hash.update(content);
          yield content;
        }
      },
      createWriteStream(path),
    );
    const sha1 = hash.digest('hex');
    const expected = behind > 0 ? end.toString('latin1') : claimed;
    if (claimed !== 'do_not_verify' && expected !== sha1) throw badRequest('Sha1 did not match data received');
    return { path, size, sha1, said: claimed === 'do_not_verify' ? `unverified:${sha1}` : sha1, uploadedAt: state.now() };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  if (typeof value === 'string' && value !== '') return value;
  throw badRequest(`Missing header: ${name}`);
}
