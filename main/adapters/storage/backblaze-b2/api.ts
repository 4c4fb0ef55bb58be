import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import { B2Error, mapped, notB2, toFault } from './errors.ts';
import { openHttp, type HttpRequest } from '../../network/http.ts';
import { readJson } from './replies.ts';
import { openSession, type Session } from './session.ts';
import { setupPage, type B2Keys, type B2Place } from './settings.ts';
import { sharedCall } from '../../network/shared-call.ts';

/** Who asks for what: for faults. */
export interface About {
  readonly operation: string;
  /** The object or bucket. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

export interface Call<T> {
  /** As in b2_list_buckets. */
  readonly name: string;
  readonly reply: z.ZodType<T>;
  /** Which right the key must have for it. */
  readonly needs: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One account: its token, its connections. Nothing is sent before the first call. */
export interface B2Api {
  readonly place: B2Place;
  session(signal: AbortSignal | undefined): Promise<Session>;
  /** The smallest part that the account takes, bytes; undefined before the first call. */
  minPart(): number | undefined;
  /** A call with JSON in both directions; the id of the bucket is added where `fields` has `bucketId: true`. */
  call<T>(call: Call<T>, about: About): Promise<T>;
  /** Rejects with what `send` does; when that is an ended token, once more with a new one. */
  withSession<T>(signal: AbortSignal | undefined, send: (session: Session) => Promise<T>): Promise<T>;
  http(request: HttpRequest): Promise<IncomingMessage>;
}

export function openApi(place: B2Place, keys: B2Keys): B2Api {
  const http = openHttp();
  let current: Session | undefined;
  const renew = sharedCall(async (signal) => (current = await openSession(http, place, keys, signal)));

  async function session(signal: AbortSignal | undefined, refused?: Session): Promise<Session> {
    if (current !== undefined && current !== refused) return current;
    return await renew(signal);
  }

  async function withSession<T>(signal: AbortSignal | undefined, send: (session: Session) => Promise<T>): Promise<T> {
    const first = await session(signal);
    try {
      return await send(first);
    } catch (error) {
      if (!hasEnded(error)) throw error;
    }
    return await send(await session(signal, first));
  }

  return {
    place,
    http,
    session,
    minPart: () => current?.minPart,
    withSession,
    call: ({ name, reply, needs, fields }, { operation, what, signal }) =>
      mapped(operation, what, signal, () =>
        withSession(signal, async (own) => {
          const { bucketId, ...others } = fields;
          const value = await naming(needs, own, operation, what, async () => {
            const body = Buffer.from(JSON.stringify(bucketId === true ? { bucketId: own.bucketId, ...others } : fields));
            const headers = { authorization: own.token, 'content-type': 'application/json' };
            return await readJson(
              await http({ url: `${own.apiUrl}/b2api/v4/${name}`, method: 'POST', headers, body, signal }),
              operation,
              what,
            );
          });
          const parsed = reply.safeParse(value);
          if (!parsed.success) throw notB2(operation, what);
          return parsed.data;
        }),
      ),
  };
}

const ended: ReadonlySet<string> = new Set(['expired_auth_token', 'bad_auth_token', '']);

/** Of a token that B2 no longer takes, or may no longer take where the reply does not say; not of a key that may not do something. */
export function hasEnded(error: unknown): boolean {
  return error instanceof B2Error && error.status === 401 && ended.has(error.code);
}

/** Says which right is missing, where it was one. */
export async function naming<T>(needs: string, session: Session, operation: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const lacks =
      error instanceof B2Error && error.status === 401 && error.code === 'unauthorized' && !session.capabilities.includes(needs);
    throw lacks ? lackingFault(needs, operation, what, error) : error;
  }
}

export function lackingFault(needs: string, operation: string, what: string, cause?: B2Error): Fault {
  const about = `${operation} of ${what} was refused: this application key has not the right ${needs}`;
  const next = `Make an application key that has it: ${setupPage} shows how.`;
  const context = { key: what, capability: needs, next };
  return new Fault('permission-denied', about, {
    operation,
    context,
    ...(cause === undefined ? {} : { cause: toFault(cause, operation, what) }),
  });
}
