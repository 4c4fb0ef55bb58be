import { createServer, request as send } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { closed, listening } from './serve.ts';

/**
 * What any line can do to a request. `lost-reply`: the server has done it all, the answer never comes; `failed-reply`: it has, and whatever stands in front of
 * it answers 503. `stalled-reply`: half of the body
 * comes, then nothing, and the line stays open. `trickled-reply`: half of it comes, then byte after byte, fifty a second.
 */
export type TransportFault =
  'reset-before' | 'reset-within' | 'lost-reply' | 'failed-reply' | 'cut-reply' | 'stall' | 'stalled-reply' | 'trickled-reply' | 'web-page';

/** What a provider itself may answer instead of doing it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Decide<Name extends string> = (request: IncomingMessage) => TransportFault | Name | null;

export interface FaultProxy {
  readonly port: number;
  readonly endpoint: string;
  /** How often each fault has struck. */
  struck(): ReadonlyMap<string, number>;
  /** Requests seen so far, as `METHOD /path?query`. */
  readonly seen: string[];
  /** Bytes of all their bodies that came here, whatever became of them. */
  received(): number;
  close(): Promise<void>;
}

/** Settles when the request may be handled; what it waits for, the test brings about. */
export type Hold = (request: IncomingMessage) => Promise<void> | undefined;

/**
 * A server between client and server that passes requests on unchanged, Host included, so that signatures hold, but for the faults that
 * `decide` names; `answers` are the provider's own.
 */
export async function startFaultProxy<Name extends string>(
  port: number,
  decide: Decide<Name>,
  answers: Readonly<Record<Name, Answer>>,
  hold: Hold = () => undefined,
): Promise<FaultProxy> {
  const counts = new Map<string, number>();
  const seen: string[] = [];
  let received = 0;
  const server = createServer({ keepAlive: true }, (request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const held = hold(request);
    if (held === undefined) go(request, response);
    else void held.then(() => go(request, response));
  });
  function go(request: IncomingMessage, response: ServerResponse): void {
    const fault = decide(request);
    if (fault !== null) counts.set(fault, (counts.get(fault) ?? 0) + 1);
    // What takes in the body is attached in this same turn.
    request.on('data', (piece: Uint8Array) => (received += piece.byteLength));
    if (fault !== null && isAnswer(fault, answers)) answer(request, response, answers[fault]);
    else handle(fault, port, request, response);
  }
  const own = await listening(server);
  return {
    port: own,
    endpoint: `http://127.0.0.1:${own}`,
    struck: () => counts,
    seen,
    received: () => received,
    close: () => closed(server),
  };
}

function isAnswer<Name extends string>(name: string, answers: Readonly<Record<Name, Answer>>): name is Name {
  return Object.hasOwn(answers, name);
}

function handle(fault: TransportFault | null, port: number, request: IncomingMessage, response: ServerResponse): void {
  switch (fault) {
    case 'web-page':
      answer(request, response, {
        status: 200,
        headers: { 'content-type': 'text/html; charset=utf-8' },
        body: '<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome to this hotel</body></html>',
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
function answer(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  request.resume();
  request.on('end', () => {
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? undefined : body);
  });
}

function passOn(
  fault: 'lost-reply' | 'failed-reply' | 'cut-reply' | 'stalled-reply' | 'trickled-reply' | null,
  port: number,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { method, url, headers } = request;
  let replied = false;
  const onward = send({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (reply) => {
    replied = true;
    if (fault === 'lost-reply') {
      reply.resume();
      reply.on('end', () => request.socket.resetAndDestroy());
      return;
    }
    if (fault === 'failed-reply') {
      reply.resume();
      reply.on('end', () => response.writeHead(503, { 'content-length': '0' }).end());
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
    if (fault === 'stalled-reply' || fault === 'trickled-reply') {
      const rest = sendHalf(reply, response);
      if (fault === 'trickled-reply') trickle(rest, response);
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

/** Half of the body at once; what comes of the other half stands in the list that is answered. */
function sendHalf(reply: IncomingMessage, response: ServerResponse): readonly Uint8Array[] {
  const rest: Uint8Array[] = [];
  response.flushHeaders();
  let left = Number(reply.headers['content-length'] ?? 0) >> 1;
  reply.on('data', (piece: Uint8Array) => {
    if (left > 0) response.write(piece.subarray(0, left));
    if (piece.byteLength > left) rest.push(piece.subarray(Math.max(0, left)));
    left = Math.max(0, left - piece.byteLength);
  });
  return rest;
}

function trickle(rest: readonly Uint8Array[], response: ServerResponse): void {
  let [piece, at] = [0, 0];
  const drip = setInterval(() => {
    const bytes = rest[piece];
    if (bytes === undefined) return;
    response.write(bytes.subarray(at, at + 1));
    at += 1;
    if (at === bytes.byteLength) [piece, at] = [piece + 1, 0];
  }, 20);
  response.on('close', () => clearInterval(drip));
}
