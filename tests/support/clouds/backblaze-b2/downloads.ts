import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { rangeOf } from '../serve.ts';
import { bearer, checkBucket, checkPrefix, need } from './authorize.ts';
import { decodeName, encodeName } from './names.ts';
import { Refusal } from './refusal.ts';
import { sizeOf, visible, type State, type Version } from './state.ts';

/** b2_download_file_by_name: GET or HEAD of /file/BUCKET/NAME. */
export function byName(state: State, request: IncomingMessage, bucketName: string, encoded: string): Version {
  const key = bearer(state, request);
  const bucket = state.buckets.get(bucketName);
  if (bucket === undefined) throw new Refusal(404, 'not_found', 'Bucket does not exist');
  checkBucket(key, bucket);
  need(key, 'readFiles');
  const name = decodeName(encoded);
  checkPrefix(key, name);
  const version = visible(bucket, name);
  if (version === undefined) throw new Refusal(404, 'not_found', 'File with such name does not exist.');
  return version;
}

/** b2_download_file_by_id. */
export function byId(state: State, request: IncomingMessage, fileId: string): Version {
  const key = bearer(state, request);
  need(key, 'readFiles');
  const version = state.versions.get(fileId);
  if (version?.action !== 'upload') throw new Refusal(404, 'not_found', `File not present: ${fileId}`);
  checkBucket(key, version.bucket);
  checkPrefix(key, version.name);
  return version;
}

export async function sendVersion(request: IncomingMessage, response: ServerResponse, version: Version): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new Refusal(405, 'method_not_allowed', 'only GET and HEAD are supported');
  const size = sizeOf(version);
  const range = rangeOf(request, size);
  if (range === 'outside') throw new Refusal(416, 'range_not_satisfiable', `The Range is outside the size of the file, ${size}`);
  const infos = Object.entries(version.info).map(([name, value]) => [`x-bz-info-${name}`, encodeName(value)] as const);
  const part = range === 'whole' ? { first: 0, last: size - 1 } : range;
  response.writeHead(range === 'whole' ? 200 : 206, {
    'accept-ranges': 'bytes',
    'content-type': version.contentType,
    'content-length': String(part.last - part.first + 1),
    ...(range === 'whole' ? {} : { 'content-range': `bytes ${part.first}-${part.last}/${size}` }),
    'x-bz-file-id': version.fileId,
    'x-bz-file-name': encodeName(version.name),
    'x-bz-content-sha1': version.sha1,
    'x-bz-upload-timestamp': String(version.uploadTimestamp),
    ...Object.fromEntries(infos),
  });
  if (request.method === 'HEAD' || size === 0) response.end();
  else await pipeline(stretches(version, part.first, part.last), response);
}

async function* stretches({ segments }: Version, first: number, last: number): AsyncGenerator<Buffer> {
  let start = 0;
  for (const { path, size } of segments) {
    const [from, to] = [Math.max(first - start, 0), Math.min(last - start, size - 1)];
    start += size;
    if (from <= to) yield* createReadStream(path, { start: from, end: to }) as AsyncIterable<Buffer>;
  }
}
