import type { IncomingMessage } from 'node:http';
import { receiveBytes } from '../serve.ts';
import { bearer, checkBucket, need } from './authorize.ts';
import { readFields, type Fields } from './fields.ts';
import { cancelLargeFile, deleteVersion, finishLargeFile, getFileInfo, hideFile, startLargeFile, unfinished } from './file-calls.ts';
import { listFileNames, listFileVersions, listParts, listUnfinished } from './list-calls.ts';
import { badRequest, Refusal, unauthorized } from './refusal.ts';
import { randomId, type Bucket, type Key, type State, type Version } from './state.ts';

interface Context {
  readonly state: State;
  readonly key: Key;
  readonly fields: Fields;
  /** Version of the interface. */
  readonly api: number;
  /** Of this server, as the client sees it. */
  readonly host: string;
  bucket(): Bucket;
  unfinished(): Version;
}

interface Call {
  /** One of these. */
  readonly needs: readonly string[];
  readonly fields: readonly string[];
  readonly run: (context: Context) => object | Promise<object>;
}

const large = ['bucketId', 'fileName', 'contentType', 'fileInfo'];
const listing = ['bucketId', 'startFileName', 'maxFileCount', 'prefix', 'delimiter'];

/** The calls of B2's native interface that take JSON and a token of the account. */
const calls: Readonly<Record<string, Call>> = {
  b2_list_buckets: {
    needs: ['listBuckets', 'listAllBucketNames'],
    fields: ['accountId', 'bucketId', 'bucketName', 'bucketTypes'],
    run: listBuckets,
  },
  b2_get_upload_url: { needs: ['writeFiles'], fields: ['bucketId'], run: (c) => newUrl(c, c.bucket()) },
  b2_get_upload_part_url: { needs: ['writeFiles'], fields: ['fileId'], run: (c) => newUrl(c, c.unfinished()) },
  b2_start_large_file: { needs: ['writeFiles'], fields: large, run: (c) => startLargeFile(c.state, c.bucket(), c.key, c.fields) },
  b2_list_parts: {
    needs: ['writeFiles'],
    fields: ['fileId', 'startPartNumber', 'maxPartCount'],
    run: (c) => listParts(c.unfinished(), c.fields),
  },
  b2_finish_large_file: {
    needs: ['writeFiles'],
    fields: ['fileId', 'partSha1Array'],
    run: (c) => finishLargeFile(c.state, c.unfinished(), c.fields, c.api),
  },
  b2_cancel_large_file: { needs: ['writeFiles'], fields: ['fileId'], run: (c) => cancelLargeFile(c.state, c.unfinished()) },
  b2_list_unfinished_large_files: {
    needs: ['listFiles'],
    fields: ['bucketId', 'namePrefix', 'startFileId', 'maxFileCount'],
    run: (c) => listUnfinished(c.state, c.bucket(), c.key, c.fields),
  },
  b2_list_file_names: { needs: ['listFiles'], fields: listing, run: (c) => listFileNames(c.bucket(), c.key, c.fields, c.api) },
  b2_list_file_versions: {
    needs: ['listFiles'],
    fields: [...listing, 'startFileId'],
    run: (c) => listFileVersions(c.bucket(), c.key, c.fields, c.api),
  },
  b2_hide_file: {
    needs: ['writeFiles'],
    fields: ['bucketId', 'fileName'],
    run: (c) => hideFile(c.state, c.bucket(), c.key, c.fields, c.api),
  },
  b2_get_file_info: { needs: ['readFiles'], fields: ['fileId'], run: (c) => getFileInfo(c.state, c.key, c.fields.text('fileId'), c.api) },
  b2_delete_file_version: { needs: ['deleteFiles'], fields: ['fileId', 'fileName'], run: (c) => deleteVersion(c.state, c.key, c.fields) },
};

/** In B2's order: the token, the JSON, the right, then what the fields say. */
export async function answerCall(state: State, request: IncomingMessage, name: string, api: number): Promise<object> {
  const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (call === undefined) throw new Refusal(404, 'not_found', `no such call: ${name}`);
  if (request.method !== 'POST') throw new Refusal(405, 'method_not_allowed', 'only POST is supported');
  const key = bearer(state, request);
  const fields = readFields((await receiveBytes(request)).toString('utf8'), call.fields);
  if (!call.needs.some((capability) => key.capabilities.includes(capability))) need(key, call.needs[0] ?? '');
  return await call.run({
    state,
    key,
    fields,
    api,
    host: request.headers.host ?? '',
    bucket: () => bucketOf(state, key, fields.text('bucketId')),
    unfinished: () => unfinished(state, key, fields.text('fileId')),
  });
}

function bucketOf(state: State, key: Key, bucketId: string): Bucket {
  const bucket = [...state.buckets.values()].find((other) => other.bucketId === bucketId);
  if (bucket === undefined) throw new Refusal(400, 'bad_bucket_id', `Bucket ${bucketId} does not exist`);
  checkBucket(key, bucket);
  return bucket;
}

/** A key that is restricted may ask for its own buckets only, by name or id. */
function listBuckets({ state, key, fields }: Context): object {
  if (fields.text('accountId') !== key.accountId) throw badRequest('invalid accountId');
  const [name, id] = [fields.optional('bucketName'), fields.optional('bucketId')];
  const found = [...state.buckets.values()].filter(
    (bucket) => bucket.accountId === key.accountId && (name ?? bucket.name) === bucket.name && (id ?? bucket.bucketId) === bucket.bucketId,
  );
  if (key.buckets !== null) {
    const own = key.buckets.some((bucket) => bucket.name === name || bucket.bucketId === id);
    if (!own) throw unauthorized('Application key is restricted to a bucket: bucketName or bucketId must name it');
  }
  const described = found.map(({ accountId, bucketId, name: bucketName }) => ({
    accountId,
    bucketId,
    bucketName,
    bucketType: 'allPrivate',
    bucketInfo: {},
    corsRules: [],
    lifecycleRules: [],
    options: [],
    revision: 1,
  }));
  return { buckets: described };
}

function newUrl({ state, key, host, api }: Context, target: Bucket | Version): object {
  const id = randomId('u');
  const token = randomId('4_upload_');
  state.urls.set(id, { token, key, target, state: 'idle', expired: false });
  const isPart = 'fileId' in target;
  const uploadUrl = `http://${host}/b2api/v${api}/${isPart ? 'b2_upload_part' : 'b2_upload_file'}/${id}`;
  return { ...(isPart ? { fileId: target.fileId } : { bucketId: target.bucketId }), uploadUrl, authorizationToken: token };
}
