import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { cancelledFault } from '../../../engine/storage/cancel.ts';
import { retryAfterMs } from '../../network/errors.ts';
import { openHttp, parsedJson, readAll, type Http } from '../../network/http.ts';
import type { TokenSource } from '../../oauth/token-source.ts';
import { DropboxError, notDropbox, toFault } from './errors.ts';
import type { DropboxPlace } from './settings.ts';

/** One call: what is done to what, for messages, and when to stop. */
export interface About {
  readonly operation: string;
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

export interface DropboxApi {
  readonly place: DropboxPlace;
  /** A call without content: `files/get_metadata` and the like. Rejects with a Fault. */
  rpc<T>(route: string, argument: object | null, reply: z.ZodType<T>, about: About): Promise<T>;
  /** Content goes up; what comes back is as with rpc, or null where Dropbox answers so. Rejects with DropboxError, too: some refusals are answers. */
  upload(route: string, argument: object, body: Uint8Array, about: About): Promise<unknown>;
  /** Content comes down: status 200 or 206, the body not read yet. Rejects with a Fault. */
  download(route: string, argument: object, headers: Readonly<Record<string, string>>, about: About): Promise<IncomingMessage>;
}

/** A page of 2000 entries with long names. */
const longestReply = 16 * 1024 * 1024;

/** Calls of Dropbox's interface version 2. A 401 is answered with another token, once. Retries are not made here. */
export function openApi(place: DropboxPlace, tokens: TokenSource): DropboxApi {
  const http = openHttp();

  async function withToken(about: About, send: (authorization: string) => Promise<IncomingMessage>): Promise<IncomingMessage> {
    const token = await tokens.token({ signal: about.signal });
    const reply = await send(`Bearer ${token}`);
    if (reply.statusCode !== 401) return reply;
    const error = await refusalOf(reply);
    if (!/^(expired|invalid)_access_token/.test(error.summary)) throw error;
    const fresh = await tokens.token({ signal: about.signal, refused: token });
    return await send(`Bearer ${fresh}`);
  }

  async function mapped<T>(about: About, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (about.signal?.aborted === true) throw cancelledFault(about.operation);
      throw toFault(error, about.operation, about.what, { key: about.what });
    }
  }

  return {
    place,
    rpc: (route, argument, schema, about) =>
      mapped(about, async () => {
        const body = Buffer.from(JSON.stringify(argument));
        const reply = await withToken(about, (authorization) =>
          post(http, `${place.api}/2/${route}`, { authorization, 'content-type': 'application/json' }, body, about),
        );
        const parsed = schema.safeParse(await jsonOf(reply, about));
        if (!parsed.success) throw notDropbox(about.operation, about.what);
        return parsed.data;
      }),
    upload: async (route, argument, body, about) => {
      const headers = { 'content-type': 'application/octet-stream', 'dropbox-api-arg': asciiJson(argument) };
      const reply = await withToken(about, (authorization) =>
        post(http, `${place.content}/2/${route}`, { authorization, ...headers }, body, about),
      );
      return await jsonOf(reply, about);
    },
    download: (route, argument, headers, about) =>
      mapped(about, async () => {
        const arg = { 'dropbox-api-arg': asciiJson(argument) };
        const reply = await withToken(about, (authorization) =>
          post(http, `${place.content}/2/${route}`, { authorization, ...arg, ...headers }, new Uint8Array(0), about),
        );
        if (reply.statusCode !== 200 && reply.statusCode !== 206) throw await refusalOf(reply);
        if (reply.headers['dropbox-api-result'] === undefined) {
          reply.destroy();
          throw notDropbox(about.operation, about.what);
        }
        return reply;
      }),
  };
}

function post(
  http: Http,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  { signal }: About,
): Promise<IncomingMessage> {
  return http({ url, method: 'POST', headers, body, signal });
}

async function jsonOf(reply: IncomingMessage, about: About): Promise<unknown> {
  if (reply.statusCode !== 200) throw await refusalOf(reply);
  const body = await readAll(reply, longestReply);
  const value = body === null ? undefined : parsedJson(body.toString('utf8'));
  // A network's sign-in page answers everything with 200 and HTML.
  if (value === undefined) throw notDropbox(about.operation, about.what);
  return value;
}

const refusalSchema = z.object({ error_summary: z.string().optional(), error: z.unknown().optional() });

async function refusalOf(reply: IncomingMessage): Promise<DropboxError> {
  const body = await readAll(reply, longestReply);
  const parsed = refusalSchema.safeParse(body === null ? undefined : parsedJson(body.toString('utf8')));
  const fields = parsed.success && typeof parsed.data.error === 'object' && parsed.data.error !== null ? parsed.data.error : {};
  // A random number of dots stands behind each summary, so that nobody compares the whole.
  const summary = parsed.success ? (parsed.data.error_summary ?? '').replace(/\/?\.*$/, '') : '';
  const seconds = 'retry_after' in fields && typeof fields.retry_after === 'number' ? fields.retry_after * 1000 : undefined;
  const wait = retryAfterMs(reply.headers['retry-after'], reply.headers.date) ?? seconds;
  return new DropboxError(reply.statusCode ?? 0, summary, fields as Readonly<Record<string, unknown>>, wait);
}

/** JSON that fits into a header: all that is not printable ASCII is escaped, DEL as well (Dropbox: "Formats, content-upload endpoints"). */
export function asciiJson(value: object): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
