import { rm } from 'node:fs/promises';
import { checkBucket, checkPrefix } from './authorize.ts';
import type { Fields } from './fields.ts';
import { idAt } from './list-calls.ts';
import { checkInfo, checkName } from './names.ts';
import { badRequest, Refusal } from './refusal.ts';
import { describeUnfinished, describeVersion } from './replies.ts';
import { addVersion, dropVersion, randomId, visible, type Bucket, type Key, type Segment, type State, type Version } from './state.ts';

export function newVersion(
  state: State,
  bucket: Bucket,
  fields: Pick<Version, 'action' | 'name' | 'contentType' | 'info' | 'sha1'> & { readonly segments?: Segment[]; readonly at?: number },
): Version {
  const uploadTimestamp = fields.at ?? state.now();
  const { action, name, contentType, info, sha1, segments = [] } = fields;
  const fileId = idAt(uploadTimestamp, randomId(''));
  return { bucket, fileId, name, contentType, info, uploadTimestamp, action, sha1, segments, parts: new Map() };
}

export function startLargeFile(state: State, bucket: Bucket, key: Key, fields: Fields): object {
  const name = fields.text('fileName');
  checkName(name);
  checkPrefix(key, name);
  const info = fields.map('fileInfo');
  checkInfo(info);
  const version = newVersion(state, bucket, { action: 'start', name, contentType: typeOf(fields.text('contentType')), info, sha1: 'none' });
  addVersion(state, version);
  return describeUnfinished(version);
}

/** The large file that is not finished, which a call is about. */
export function unfinished(state: State, key: Key, fileId: string): Version {
  const version = state.versions.get(fileId);
  if (version?.action !== 'start') throw badRequest(`No active upload for: ${fileId}`);
  checkBucket(key, version.bucket);
  checkPrefix(key, version.name);
  return version;
}

export function finishLargeFile({ minPart }: State, version: Version, fields: Fields, api: number): object {
  const sha1s = fields.list('partSha1Array');
  if (sha1s.length < 2) throw badRequest('large files must have at least 2 parts');
  if (sha1s.length !== version.parts.size) throw badRequest(`The number of parts is ${version.parts.size}, not ${sha1s.length}`);
  const segments = sha1s.map((sha1, index) => {
    const part = version.parts.get(index + 1);
    if (part === undefined) throw new Refusal(400, 'missing_part', `Part number ${index + 1} has not been uploaded`);
    if (part.sha1 !== sha1) throw new Refusal(400, 'part_sha1_mismatch', `sha1 of part ${index + 1} is ${part.sha1}, not ${sha1}`);
    return part;
  });
  const short = segments.slice(0, -1).findIndex(({ size }) => size < minPart);
  if (short >= 0) throw badRequest(`part number ${short + 1} is smaller than ${minPart} bytes`);
  version.segments = segments;
  version.action = 'upload';
  version.parts.clear();
  return describeVersion(version, api);
}

export async function cancelLargeFile(state: State, version: Version): Promise<object> {
  dropVersion(state, version);
  await removeFiles([...version.parts.values()]);
  const { bucket, fileId, name } = version;
  return { accountId: bucket.accountId, bucketId: bucket.bucketId, fileId, fileName: name };
}

export function hideFile(state: State, bucket: Bucket, key: Key, fields: Fields, api: number): object {
  const name = fields.text('fileName');
  checkPrefix(key, name);
  if (visible(bucket, name) === undefined) {
    const hidden = bucket.byName.get(name)?.find(({ action }) => action !== 'start') !== undefined;
    throw hidden
      ? new Refusal(400, 'already_hidden', `File already hidden: ${name}`)
      : new Refusal(400, 'no_such_file', `File not present: ${name}`);
  }
  const marker = newVersion(state, bucket, { action: 'hide', name, contentType: '', info: {}, sha1: '' });
  addVersion(state, marker);
  return describeVersion(marker, api);
}

export function getFileInfo(state: State, key: Key, fileId: string, api: number): object {
  const version = state.versions.get(fileId);
  if (version === undefined || version.action === 'start') throw new Refusal(404, 'not_found', `File not present: ${fileId}`);
  checkBucket(key, version.bucket);
  checkPrefix(key, version.name);
  return describeVersion(version, api);
}

export async function deleteVersion(state: State, key: Key, fields: Fields): Promise<object> {
  const [fileId, fileName] = [fields.text('fileId'), fields.text('fileName')];
  const version = state.versions.get(fileId);
  if (version === undefined || version.name !== fileName)
    throw new Refusal(400, 'file_not_present', `File not present: ${fileName} ${fileId}`);
  checkBucket(key, version.bucket);
  checkPrefix(key, fileName);
  dropVersion(state, version);
  await removeFiles([...version.segments, ...version.parts.values()]);
  return { fileId, fileName };
}

export async function removeFiles(segments: readonly Segment[]): Promise<void> {
  for (const { path } of segments) await rm(path, { force: true });
}

export function typeOf(contentType: string): string {
  return contentType === 'b2/x-auto' ? 'application/octet-stream' : contentType;
}
