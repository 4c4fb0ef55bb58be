import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { drive_v3 } from '@googleapis/drive';
import { cancelledFault } from '../../../engine/storage/cancel.ts';
import { retryAfterMs } from '../../network/errors.ts';
import { openHttp, readAll, type HttpRequest } from '../../network/http.ts';
import type { TokenSource } from '../../oauth/token-source.ts';
import { DriveError, fromSdk, notDrive, reasonIn, toFault } from './errors.ts';
import type { DrivePlace } from './settings.ts';

/** One call: what is done to what, for messages, and when to stop. */
export interface About {
  readonly operation: string;
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

/** What each call of the SDK gets: the token, no retries, the address, and how to get there. */
export interface SdkOptions {
  readonly headers: { readonly authorization: string };
  readonly rootUrl: string;
  readonly retry: false;
  readonly agent: (url: URL) => HttpAgent;
  readonly signal?: AbortSignal;
}

export interface DriveApi {
  readonly place: DrivePlace;
  /** A call of the SDK, which is loaded by the first one. Rejects with a Fault. */
  call<T>(about: About, work: (drive: drive_v3.Drive, options: SdkOptions) => Promise<{ readonly data: T }>): Promise<T>;
  /** Bytes up or down, whatever the status. A 401 is answered with another token, once. */
  send(request: Omit<HttpRequest, 'signal'>, about: About): Promise<IncomingMessage>;
}

const longestReply = 1024 * 1024;

/** The Drive API, version 3. Retries are not made here. */
export function openApi(place: DrivePlace, tokens: TokenSource): DriveApi {
  const http = openHttp();
  // Without agents of its own the SDK would take a proxy from the environment, which nothing else does that goes to a cloud.
  const agents = { http: new HttpAgent(), https: new HttpsAgent() };
  const agent = ({ protocol }: URL): HttpAgent => (protocol === 'https:' ? agents.https : agents.http);
  let loaded: Promise<drive_v3.Drive> | undefined;
  // The SDK takes a tenth of a second and 17 MB.
  const load = (): Promise<drive_v3.Drive> => (loaded ??= import('@googleapis/drive').then(({ drive }) => drive({ version: 'v3' })));

  return {
    place,
    async call(about, work) {
      const { signal } = about;
      try {
        const drive = await load();
        const attempt = async (token: string): ReturnType<typeof work> =>
          await work(drive, {
            headers: { authorization: `Bearer ${token}` },
            rootUrl: `${place.root}/`,
            retry: false,
            agent,
            ...(signal === undefined ? {} : { signal }),
          });
        const token = await tokens.token({ signal });
        const { data } = await attempt(token).catch(async (error: unknown) => {
          if (fromSdk(error)?.status !== 401) throw error;
          return await attempt(await tokens.token({ signal, refused: token }));
        });
        // A network's sign-in page answers everything with 200 and HTML.
        if (typeof data === 'string' && data !== '') throw notDrive(about.operation, about.what);
        return data;
      } catch (error) {
        if (signal?.aborted === true) throw cancelledFault(about.operation);
        throw toFault(error, about.operation, about.what, { key: about.what });
      }
    },
    async send(request, { signal }) {
      const token = await tokens.token({ signal });
      const authorized = (text: string): HttpRequest => ({
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${text}` },
        signal,
      });
      const reply = await http(authorized(token));
      if (reply.statusCode !== 401) return reply;
      reply.resume();
      return await http(authorized(await tokens.token({ signal, refused: token })));
    },
  };
}

/** `work`, its errors as faults; whatever it ended with after the signal is fault cancelled. */
export async function mapped<T>({ operation, what, signal }: About, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw cancelledFault(operation);
    throw toFault(error, operation, what, { key: what });
  }
}

/** The body of a reply that is no file, as text; null when it is longer than any of Google's. */
export async function textOf(reply: IncomingMessage): Promise<string | null> {
  return (await readAll(reply, longestReply))?.toString('utf8') ?? null;
}

/** The error that a reply with a status of failure stands for. */
export async function refusalOf(reply: IncomingMessage): Promise<DriveError> {
  const reason = reasonIn((await textOf(reply)) ?? '');
  return new DriveError(reply.statusCode ?? 0, reason, retryAfterMs(reply.headers['retry-after'], reply.headers.date));
}
