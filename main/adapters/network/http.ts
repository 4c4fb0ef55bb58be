import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { thriftyAgents } from './agents.ts';
import type { StallLimits } from './stalled-upload.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  /** Goes out as it lies in memory, shared or not, without a copy. Empty for a GET. */
  readonly body?: Uint8Array | readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
}

/** Settles to the reply once its headers are there, whatever its status. Rejects with what the connection broke with. */
export type Http = (request: HttpRequest) => Promise<IncomingMessage>;

/**
 * Connections of one account, shared with no other. Node's own HTTP and not its fetch, which copies a body twice and sends a view of shared memory as
 * text. Idle connections keep no process alive.
 */
export function openHttp(limits?: StallLimits): Http {
  const { httpAgent, httpsAgent } = thriftyAgents(limits);
  return async ({ url, method, headers, body, signal }) => {
    const pieces = body === undefined ? [] : body instanceof Uint8Array ? [body] : body;
    const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    const sent = body === undefined ? {} : { 'content-length': String(length) };
    const options = { method, headers: { 'user-agent': 'holdfast', ...headers, ...sent }, ...(signal === undefined ? {} : { signal }) };
    return await new Promise<IncomingMessage>((settle, reject) => {
      const outgoing = url.startsWith('https:')
        ? requestHttps(url, { ...options, agent: httpsAgent })
        : requestHttp(url, { ...options, agent: httpAgent });
      outgoing.on('error', reject);
      outgoing.on('response', (reply) => {
        // A server may refuse before it has read all. Who hears of it takes the body's memory for free, so nothing may be sent from it any more.
        const stop = (): void => {
          if (!outgoing.writableFinished) outgoing.destroy();
        };
        reply.once('end', stop).once('close', stop);
        settle(reply);
      });
      // A view of shared memory would be taken for text, but for a Buffer.
      for (const piece of pieces) outgoing.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      outgoing.end();
    });
  };
}

/** The whole body; null when it is longer than `limit` bytes. Rejects with what the connection broke with. */
export async function readAll(reply: IncomingMessage, limit: number): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of reply as AsyncIterable<Buffer>) {
    size += piece.byteLength;
    if (size > limit) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What a JSON text says; undefined for one that is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
