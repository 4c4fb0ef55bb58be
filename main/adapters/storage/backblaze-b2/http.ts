import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { thriftyAgents } from '../../network/agents.ts';
import { B2Error, notB2 } from './errors.ts';
import { retryAfterMs } from '../../network/errors.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** Goes out as it lies in memory, shared or not, without a copy. Empty for a GET. */
  readonly body?: Uint8Array;
  readonly signal: AbortSignal | undefined;
}

/** Settles to the reply once its headers are there, whatever its status. Rejects with what the connection broke with. */
export type Http = (request: HttpRequest) => Promise<IncomingMessage>;

/**
 * Connections of one account, shared with no other. Node's own HTTP and not its fetch, which copies a body twice and sends a view of shared memory as
 * text. Idle connections keep no process alive.
 */
export function openHttp(): Http {
  const { httpAgent, httpsAgent } = thriftyAgents();
  return async ({ url, method, headers, body, signal }) => {
    const sent = body === undefined ? {} : { 'content-length': String(body.byteLength) };
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
      // `end(bytes)` would take a view of shared memory for text, but for a Buffer.
      if (body === undefined) outgoing.end();
      else outgoing.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    });
  };
}

/** More than any reply of B2 that is no file: a page of 1000 names of 1024 bytes with their infos. */
const longestReply = 16 * 1024 * 1024;

/** The JSON of a reply with status 200. Rejects with B2Error for any other status, and with fault unavailable for what is no JSON. */
export async function readJson(reply: IncomingMessage, operation: string, what: string): Promise<unknown> {
  const text = (await readBody(reply, operation, what)).toString('utf8');
  const value = parsed(text);
  if (reply.statusCode !== 200) throw refusal(reply, value);
  // A network's sign-in page answers everything with 200 and HTML.
  if (value === undefined) throw notB2(operation, what);
  return value;
}

/** The error that a reply with a status of failure stands for; its body has been read. */
export async function readRefusal(reply: IncomingMessage, operation: string, what: string): Promise<B2Error> {
  return refusal(reply, parsed((await readBody(reply, operation, what)).toString('utf8')));
}

async function readBody(reply: IncomingMessage, operation: string, what: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of reply as AsyncIterable<Buffer>) {
    size += piece.byteLength;
    if (size > longestReply) throw notB2(operation, what);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function refusal(reply: IncomingMessage, value: unknown): B2Error {
  const fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const wait = retryAfterMs(reply.headers['retry-after'], reply.headers.date);
  return new B2Error(reply.statusCode ?? 0, text('code'), text('message'), wait);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
