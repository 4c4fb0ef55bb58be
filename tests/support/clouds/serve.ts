import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, openSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** What the strict servers of the tests have in common: sockets, JSON, bodies of any size to and from disk. */

/** Listens on `port` of loopback, a free one by default; settles to the port. */
export async function listening(server: Server, port = 0): Promise<number> {
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', done);
  });
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(body.byteLength), ...headers });
  response.end(body);
}

/** The whole body, for requests that are small by their nature; destroys the connection beyond `limit` bytes. */
export async function receiveBytes(request: IncomingMessage, limit = 8 * 1024 * 1024): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.byteLength;
    if (size > limit) throw new Error(`more than ${limit} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

export interface Received {
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  readonly md5: string;
}

/** The body into a file, from byte `start` of it on; hashes are those of this body alone. Rejects when the body breaks off. */
export async function receiveToFile(request: IncomingMessage, path: string, start = 0): Promise<Received> {
  const hashes = { sha1: createHash('sha1'), sha256: createHash('sha256'), md5: createHash('md5') };
  let size = 0;
  await pipeline(
    request,
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        size += piece.byteLength;
        for (const hash of Object.values(hashes)) hash.update(piece);
        yield piece;
      }
    },
    createWriteStream(path, start === 0 ? { flags: 'w' } : { flags: 'r+', start }),
  );
  return { size, sha1: hashes.sha1.digest('hex'), sha256: hashes.sha256.digest('hex'), md5: hashes.md5.digest('hex') };
}

/** A `Range: bytes=a-b` against a size (RFC 9110 §14.1.2): the stretch, 'whole' without or with an unusable one, 'outside' for 416. */
export function rangeOf(request: IncomingMessage, size: number): { readonly first: number; readonly last: number } | 'whole' | 'outside' {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return 'whole';
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return first >= size || last < first ? 'outside' : { first, last };
}

/** A file or the stretch of it that was asked for, with the headers of 200, 206 or 416. Opened at once: it may be replaced while it is sent. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  size: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const range = rangeOf(request, size);
  if (range === 'outside') {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${size}` }).end();
    return;
  }
  const { first, last } = range === 'whole' ? { first: 0, last: size - 1 } : range;
  const place = range === 'whole' ? {} : { 'content-range': `bytes ${first}-${last}/${size}` };
  const body = request.method === 'HEAD' || size === 0 ? null : createReadStream('', { fd: openSync(path, 'r'), start: first, end: last });
  response.writeHead(range === 'whole' ? 200 : 206, {
    'accept-ranges': 'bytes',
    ...headers,
    'content-length': String(last - first + 1),
    ...place,
  });
  if (body === null) response.end();
  else await pipeline(body, response);
}

/** Who says whether a bearer token is good; the sign-in server of the tests is one. */
export interface TokenAuthority {
  accepts(token: string): 'valid' | 'expired' | 'unknown';
}
