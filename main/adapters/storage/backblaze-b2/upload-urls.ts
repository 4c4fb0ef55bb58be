import { createHash } from 'node:crypto';
import { z } from 'zod';
import { hasEnded, naming, type About, type B2Api } from './api.ts';
import { B2Error, mapped, notB2 } from './errors.ts';
import { readJson } from './replies.ts';

const uploadUrl = z.object({ uploadUrl: z.string(), authorizationToken: z.string() });
type UploadUrl = z.infer<typeof uploadUrl>;

/** Where bytes go: addresses that each serve one upload at a time, and none any more after it has failed once. */
export interface UploadUrls {
  /**
   * Sends `bytes` and gives the reply, whose SHA-1 B2 has compared with ours. A busy server and an ended token get a second try at another address
   * at once, as B2 asks for; anything else is left to the retry layer.
   */
  send<T>(bytes: Uint8Array, headers: Readonly<Record<string, string>>, reply: z.ZodType<T>, about: About): Promise<Sent<T>>;
}

export interface Sent<T> {
  readonly reply: T;
  readonly sha1: string;
}

/** More than are ever under way at once are not kept. */
const mostIdle = 8;

export function openUploadUrls(api: B2Api, name: string, fields: Readonly<Record<string, unknown>>): UploadUrls {
  const idle: UploadUrl[] = [];

  async function post<T>(
    bytes: Uint8Array,
    headers: Readonly<Record<string, string>>,
    reply: z.ZodType<T>,
    { operation, what, signal }: About,
  ): Promise<T> {
    const own = idle.pop() ?? (await api.call({ name, reply: uploadUrl, needs: 'writeFiles', fields }, { operation, what, signal }));
    if (new URL(own.uploadUrl).protocol !== new URL(api.place.endpoint).protocol) throw notB2(operation, what);
    const session = await api.session(signal);
    const answer = await naming('writeFiles', session, operation, what, async () =>
      readJson(
        await api.http({
          url: own.uploadUrl,
          method: 'POST',
          headers: { ...headers, authorization: own.authorizationToken },
          body: bytes,
          signal,
        }),
        operation,
        what,
      ),
    );
    const parsed = reply.safeParse(answer);
    if (!parsed.success) throw notB2(operation, what);
    if (idle.length < mostIdle) idle.push(own);
    return parsed.data;
  }

  return {
    send: (bytes, headers, reply, about) =>
      mapped(about.operation, about.what, about.signal, async () => {
        const sha1 = createHash('sha1').update(bytes).digest('hex');
        const all = { ...headers, 'x-bz-content-sha1': sha1 };
        try {
          return { sha1, reply: await post(bytes, all, reply, about) };
        } catch (error) {
          if (!deservesAnother(error)) throw error;
          // Those that were got with it are of the same age, or at the same server.
          idle.length = 0;
          return { sha1, reply: await post(bytes, all, reply, about) };
        }
      }),
  };
}

function deservesAnother(error: unknown): boolean {
  return hasEnded(error) || (error instanceof B2Error && (error.status === 503 || error.code === 'auth_token_limit'));
}
