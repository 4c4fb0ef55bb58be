import type { IncomingMessage } from 'node:http';
import { Refusal, unauthorized } from './refusal.ts';
import { randomId, type Bucket, type Key, type State } from './state.ts';

const recommendedPartSize = 100_000_000;

/** b2_authorize_account: flat in versions 1 and 2, nested in 3, with a list of buckets in 4. */
export function authorize(state: State, request: IncomingMessage, version: number): object {
  const [scheme, basic = ''] = (request.headers.authorization ?? '').split(' ');
  const [keyId = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  const key = state.keys.get(keyId);
  if (scheme !== 'Basic' || key === undefined) throw unauthorized('invalid applicationKeyId');
  if (key.secret !== rest.join(':')) throw unauthorized('invalid applicationKey');
  if (version < 4 && (key.buckets?.length ?? 0) > 1) {
    throw new Refusal(401, 'unsupported', 'The applicationKeyId is valid, but cannot be used with this version of the B2 API.');
  }
  const sizes = { absoluteMinimumPartSize: state.minPart, recommendedPartSize };
  const token = randomId('4_');
  state.tokens.set(token, { key, expired: false });
  const own = `http://${request.headers.host ?? ''}`;
  const urls = { apiUrl: own, downloadUrl: own };
  const account = { accountId: key.accountId, authorizationToken: token };
  const { capabilities, namePrefix } = key;
  const [only] = key.buckets ?? [];
  const one = { bucketId: only?.bucketId ?? null, bucketName: only?.name ?? null };
  if (version <= 2) {
    const allowed = { capabilities, ...one, namePrefix };
    const old = version === 1 ? { minimumPartSize: recommendedPartSize } : {};
    return { ...account, ...urls, ...sizes, ...old, allowed, s3ApiUrl: own };
  }
  const about = { ...sizes, ...urls, infoType: 'storageApi', s3ApiUrl: own };
  if (version === 3) {
    const storageApi = { ...about, ...one, capabilities, namePrefix };
    return { ...account, apiInfo: { storageApi }, applicationKeyExpirationTimestamp: null };
  }
  const buckets = key.buckets?.map(({ bucketId, name }) => ({ id: bucketId, name })) ?? null;
  const storageApi = { ...about, allowed: { buckets, capabilities, namePrefix } };
  return { ...account, apiInfo: { storageApi }, applicationKeyExpirationTimestamp: null };
}

/** Who asks. Faults as B2 tells them: a token that never was, one that has expired. */
export function bearer(state: State, request: IncomingMessage): Key {
  const text = request.headers.authorization;
  if (text === undefined) throw unauthorized('Authorization token is missing');
  const token = state.tokens.get(text);
  if (token === undefined || !state.keys.has(token.key.keyId)) throw new Refusal(401, 'bad_auth_token', 'Invalid authorization token');
  if (token.expired) throw new Refusal(401, 'expired_auth_token', 'Authorization token has expired');
  return token.key;
}

export function need(key: Key, capability: string): void {
  if (!key.capabilities.includes(capability)) throw unauthorized(`Application key does not have capability ${capability}`);
}

export function checkBucket(key: Key, bucket: Bucket): void {
  const mine = bucket.accountId === key.accountId && (key.buckets === null || key.buckets.includes(bucket));
  if (!mine) throw unauthorized('Application key is not allowed to use this bucket');
}

/** `name`: of a file, or the beginning of the names that are asked for. */
export function checkPrefix(key: Key, name: string): void {
  if (!name.startsWith(key.namePrefix ?? '')) throw unauthorized('Application key is not allowed to use this file name');
}
