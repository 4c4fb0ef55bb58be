import { createServer, request as send } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { seededNumbers } from '../seeded-random.ts';

/** What happens to one request. `after`: the server has done it all, the answer is lost. */
export type ProxyFault =
  'slow-down' | 'internal-error' | 'reset-before' | 'reset-within' | 'lost-reply' | 'cut-reply' | 'stall' | 'error-in-200' | 'web-page';

export interface FaultProxy {
  readonly endpoint: string;
  /** How often each fault has struck. */
  struck(): ReadonlyMap<ProxyFault, number>;
  /** Requests seen so far, as `METHOD /path?query`. */
  readonly seen: string[];
  close(): Promise<void>;
}

export type Decide = (request: IncomingMessage) => ProxyFault | null;

/** A server between client and S3 server that passes requests on unchanged, Host included, so that signatures hold, but for its faults. */
export async function startFaultProxy(port: number, decide: Decide): Promise<FaultProxy> {
  const counts = new Map<ProxyFault, number>();
  const seen: string[] = [];
  const server = createServer({ keepAlive: true }, (request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const fault = decide(request);
    if (fault !== null) counts.set(fault, (counts.get(fault) ?? 0) + 1);
    handle(fault, port, request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { endpoint: `http://127.0.0.1:${portOf(server)}`, struck: () => counts, seen, close: () => closed(server) };
}

/** Strikes about `rate` of all requests. A stall costs the client its whole timeout, so there are few. */
export function randomFaults(seed: number, rate: number): Decide {
  const next = seededNumbers(seed);
  return (request) => {
    if (next() >= rate) return null;
    const luck = next();
    if (luck < 0.02) return 'stall';
    if (luck < 0.25) return 'slow-down';
    if (luck < 0.35) return 'internal-error';
    if (luck < 0.45) return 'reset-before';
    if (luck < 0.55) return 'reset-within';
    if (luck < 0.6 && request.method !== 'HEAD') return 'web-page';
    if (luck < 0.75 && request.method === 'GET') return 'cut-reply';
    if (isComplete(request)) return luck < 0.8 ? 'error-in-200' : 'lost-reply';
    // The upload that such a lost reply leaves open is told of by the server, as with the real ones.
    return isCreate(request) ? 'reset-before' : 'lost-reply';
  };
}

export function isCreate({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && /[?&]uploads(=|&|$)/.test(url);
}

export function isComplete({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && /[?&]uploadId=/.test(url);
}

function handle(fault: ProxyFault | null, port: number, request: IncomingMessage, response: ServerResponse): void {
  switch (fault) {
    case 'slow-down':
      answer(request, response, 503, 'SlowDown', { 'retry-after': '0' });
      break;
    case 'internal-error':
      answer(request, response, 500, 'InternalError');
      break;
    case 'error-in-200':
      answer(request, response, 200, 'InternalError');
      break;
    case 'web-page':
      request.resume();
      request.on('end', () => {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.end('<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome to this hotel</body></html>');
      });
      break;
    case 'reset-before':
      request.socket.resetAndDestroy();
      break;
    case 'reset-within':
      request.once('data', () => request.socket.resetAndDestroy());
      request.on('end', () => request.socket.resetAndDestroy());
      break;
    case 'stall':
      request.resume();
      break;
    default:
      passOn(fault, port, request, response);
  }
}

/** Only once all has been read, as a client that still writes would see a broken pipe instead of the answer. */
function answer(request: IncomingMessage, response: ServerResponse, status: number, code: string, headers: object = {}): void {
  request.resume();
  request.on('end', () => {
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(
      request.method === 'HEAD'
        ? undefined
        : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>by the proxy</Message></Error>`,
    );
  });
}

function passOn(fault: 'lost-reply' | 'cut-reply' | null, port: number, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  let replied = false;
  const onward = send({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (reply) => {
    replied = true;
    if (fault === 'lost-reply') {
      reply.resume();
      reply.on('end', () => request.socket.resetAndDestroy());
      return;
    }
    response.writeHead(reply.statusCode ?? 502, reply.rawHeaders);
    if (fault === 'cut-reply') {
      reply.once('data', (piece: Uint8Array) => {
        // All but the last bytes of the first piece have to be gone before the line breaks.
        response.write(piece.subarray(0, piece.byteLength >> 1), () => request.socket.resetAndDestroy());
        reply.destroy();
      });
      reply.on('end', () => request.socket.resetAndDestroy());
      return;
    }
    reply.pipe(response);
    reply.on('error', () => response.destroy());
  });
  // After its reply to a HEAD the server may send a body all the same, which is none of the client's business.
  onward.on('error', () => {
    if (!replied) response.destroy();
  });
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}
