import type { IncomingMessage } from 'node:http';
import { retryAfterMs } from '../../network/errors.ts';
import { parsedJson, readAll } from '../../network/http.ts';
import { B2Error, notB2 } from './errors.ts';

/** More than any reply of B2 that is no file: a page of 1000 names of 1024 bytes with their infos. */
const longestReply = 16 * 1024 * 1024;

/** The JSON of a reply with status 200. Rejects with B2Error for any other status, and with fault unavailable for what is no JSON. */
export async function readJson(reply: IncomingMessage, operation: string, what: string): Promise<unknown> {
  const text = (await readBody(reply, operation, what)).toString('utf8');
  const value = parsedJson(text);
  if (reply.statusCode !== 200) throw refusal(reply, value);
  // A network's sign-in page answers everything with 200 and HTML.
  if (value === undefined) throw notB2(operation, what);
  return value;
}

/** The error that a reply with a status of failure stands for; its body has been read. */
export async function readRefusal(reply: IncomingMessage, operation: string, what: string): Promise<B2Error> {
  return refusal(reply, parsedJson((await readBody(reply, operation, what)).toString('utf8')));
}

async function readBody(reply: IncomingMessage, operation: string, what: string): Promise<Buffer> {
  const body = await readAll(reply, longestReply);
  if (body === null) throw notB2(operation, what);
  return body;
}

function refusal(reply: IncomingMessage, value: unknown): B2Error {
  const fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const wait = retryAfterMs(reply.headers['retry-after'], reply.headers.date);
  return new B2Error(reply.statusCode ?? 0, text('code'), text('message'), wait);
}
