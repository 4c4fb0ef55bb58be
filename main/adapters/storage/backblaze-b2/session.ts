import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import { saying } from '../../../contract/sayings.ts';
import { notB2, signInFault, toFault } from './errors.ts';
import type { Http } from '../../network/http.ts';
import { readJson } from './replies.ts';
import { setupPage, type B2Keys, type B2Place } from './settings.ts';

/** What b2_authorize_account gave, and the bucket. Good for 24 hours at most. */
export interface Session {
  readonly token: string;
  readonly accountId: string;
  readonly apiUrl: string;
  readonly downloadUrl: string;
  readonly bucketId: string;
  readonly capabilities: readonly string[];
  /** No part but the last may be smaller, bytes. */
  readonly minPart: number;
}

const bucketRef = z.object({ id: z.string(), name: z.string().nullish() });
const text = z.string().nullish();

/** The storage part of the reply as versions 3 and 4 nest it: rights lie in `allowed` since 4, beside the rest in 3. */
const storageReply = z.object({
  apiUrl: z.string(),
  downloadUrl: z.string(),
  absoluteMinimumPartSize: z.number(),
  capabilities: z.array(z.string()).nullish(),
  bucketId: text,
  bucketName: text,
  namePrefix: text,
  allowed: z.object({ capabilities: z.array(z.string()), buckets: z.array(bucketRef).nullish(), namePrefix: text }).nullish(),
});

const authorizeReply = z.object({
  accountId: z.string(),
  authorizationToken: z.string(),
  apiInfo: z.object({ storageApi: storageReply }),
});

const bucketsReply = z.object({ buckets: z.array(z.object({ bucketId: z.string(), bucketName: z.string() })) });

/**
 * Signs in with the key and finds the bucket. Faults: unauthenticated, config-invalid for a key that is restricted to another bucket or
 * prefix and for a bucket that does not exist, permission-denied, weather.
 */
export async function openSession(http: Http, place: B2Place, keys: B2Keys, signal: AbortSignal | undefined): Promise<Session> {
  const basic = Buffer.from(`${keys.keyId}:${keys.applicationKey}`).toString('base64');
  const url = `${place.endpoint}/b2api/v4/b2_authorize_account`;
  const reply = authorizeReply.safeParse(await signIn(http, place, { url, authorization: `Basic ${basic}` }, signal));
  if (!reply.success) throw notB2('sign in', place.label);
  const { accountId, authorizationToken: token, apiInfo } = reply.data;
  const { storageApi: api } = apiInfo;
  for (const given of [api.apiUrl, api.downloadUrl]) checkAddress(place, given);
  const only = api.allowed?.buckets ?? (typeof api.bucketId === 'string' ? [{ id: api.bucketId, name: api.bucketName }] : undefined);
  checkPrefix(place, api.allowed?.namePrefix ?? api.namePrefix ?? '');
  const known = only?.find(({ name }) => name === place.bucket)?.id;
  if (only !== undefined && known === undefined) throw otherBucket(place);
  const session = { token, accountId, apiUrl: api.apiUrl, downloadUrl: api.downloadUrl, minPart: api.absoluteMinimumPartSize };
  const capabilities = api.allowed?.capabilities ?? api.capabilities ?? [];
  return { ...session, capabilities, bucketId: known ?? (await findBucket(http, place, session, signal)) };
}

async function signIn(
  http: Http,
  place: B2Place,
  { url, authorization }: { readonly url: string; readonly authorization: string },
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return await readJson(await http({ url, method: 'GET', headers: { authorization }, signal }), 'sign in', place.label);
  } catch (error) {
    throw signInFault(error, 'sign in', place.label);
  }
}

/** By name, as a key that is restricted to one bucket may not ask for all. */
async function findBucket(
  http: Http,
  place: B2Place,
  session: Pick<Session, 'accountId' | 'apiUrl' | 'token'>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { accountId, apiUrl, token } = session;
  try {
    const body = Buffer.from(JSON.stringify({ accountId, bucketName: place.bucket }));
    const url = `${apiUrl}/b2api/v4/b2_list_buckets`;
    const headers = { authorization: token, 'content-type': 'application/json' };
    const reply = bucketsReply.safeParse(
      await readJson(await http({ url, method: 'POST', headers, body, signal }), 'sign in', place.label),
    );
    if (!reply.success) throw notB2('sign in', place.label);
    const found = reply.data.buckets.find(({ bucketName }) => bucketName === place.bucket);
    if (found !== undefined) return found.bucketId;
  } catch (error) {
    throw toFault(error, 'look-up', place.label);
  }
  throw new Fault('config-invalid', `there is no bucket ${place.bucket} in this account`, {
    operation: 'sign in',
    context: {
      ...saying('bucket-missing', {}),
      bucket: place.bucket,
      next: `Make the bucket, or correct its name: ${setupPage} shows how.`,
    },
  });
}

/** A token goes where the provider says, but never from https to plain http. */
function checkAddress(place: B2Place, url: string): void {
  if (URL.canParse(url) && new URL(url).protocol === new URL(place.endpoint).protocol) return;
  throw notB2('sign in', place.label);
}

function checkPrefix(place: B2Place, allowed: string): void {
  if (place.base.startsWith(allowed)) return;
  const here = place.base === '' ? 'the whole bucket' : place.base;
  throw new Fault(
    'config-invalid',
    `this application key may only use names that begin with ${allowed}, but this backup place is ${here}`,
    {
      operation: 'sign in',
      context: {
        ...saying('key-other-names', { namePrefix: allowed }),
        bucket: place.bucket,
        next: `Write the backup place as b2:${place.bucket}/${allowed.replace(/\/+$/, '')}, or make a key for it: ${setupPage} shows how.`,
      },
    },
  );
}

function otherBucket(place: B2Place): Fault {
  return new Fault('config-invalid', `this application key is restricted to other buckets than ${place.bucket}`, {
    operation: 'sign in',
    context: { ...saying('key-other-bucket', { bucket: place.bucket }), next: `Make a key for this bucket: ${setupPage} shows how.` },
  });
}
