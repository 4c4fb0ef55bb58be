import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { openHttp, type HttpRequest } from '../../main/adapters/network/http.ts';
import { readJson } from '../../main/adapters/storage/backblaze-b2/replies.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { patterned } from '../conformance/suite-support.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await closed(server);
});

async function serve(handle: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handle as (request: IncomingMessage) => void);
  servers.push(server);
  return `http://127.0.0.1:${await listening(server)}/`;
}

const post = (url: string, body: Uint8Array): HttpRequest => ({ url, method: 'POST', headers: {}, body, signal: undefined });

test('a view of shared memory goes out as the bytes that it shows, with their length', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(300_000)).fill(7);
  shared.set(patterned(100_000), 100_000);
  const received = Promise.withResolvers<{ readonly bytes: Buffer; readonly length: string | undefined }>();
  const url = await serve((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      received.resolve({ bytes: Buffer.concat(pieces), length: request.headers['content-length'] });
      response.end('{}');
    });
  });
  await readJson(await openHttp()(post(url, shared.subarray(100_000, 200_000))), 'writePart', 'x');
  const { bytes, length } = await received.promise;
  expect(length).toBe('100000');
  expect(bytes.equals(patterned(100_000))).toBe(true);
});

test('a server that refuses before it has read all gets no more: the connection ends', async () => {
  const ended = Promise.withResolvers<string>();
  const url = await serve((request, response) => {
    request.socket.on('close', () => ended.resolve(request.complete ? 'read to the end' : 'broken off'));
    response.writeHead(503, { 'content-type': 'application/json' });
    response.end('{"status":503,"code":"service_unavailable","message":"busy"}');
    response.on('finish', () => setImmediate(() => request.resume()));
  });
  // More than any socket takes at once.
  const work = openHttp()(post(url, Buffer.alloc(64 * 1024 * 1024))).then((reply) => readJson(reply, 'writePart', 'x'));
  await expect(work).rejects.toMatchObject({ status: 503, code: 'service_unavailable' });
  expect(await ended.promise).toBe('broken off');
});

test.each([
  ['a web page', 'text/html', '<!DOCTYPE html><html></html>'],
  ['half of a JSON', 'application/json', '{"files": ['],
])('%s with status 200 is no answer of B2', async (_, type, body) => {
  const url = await serve((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': type });
    response.end(body);
  });
  const reply = await openHttp()({ url, method: 'GET', headers: {}, signal: undefined });
  await expect(readJson(reply, 'list', 'b')).rejects.toMatchObject({ code: 'unavailable', persistence: 'temporary' });
});
