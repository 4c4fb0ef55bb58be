import { checkPrefix } from './authorize.ts';
import type { Fields } from './fields.ts';
import { badRequest } from './refusal.ts';
import { describeFolder, describeUnfinished, describeVersion } from './replies.ts';
import { placeOf, visible, type Bucket, type Key, type State, type Version } from './state.ts';

interface Entry {
  readonly name: string;
  readonly version: Version | null;
}

/** Names from `start` on that begin with the prefix; with a delimiter what lies deeper is one folder. */
function* entries(bucket: Bucket, start: string, prefix: string, delimiter: string, all: boolean): Generator<Entry> {
  let folder: string | undefined;
  // The names may change only between calls: a page is made in one go.
  for (let at = placeOf(bucket.names, start < prefix ? prefix : start); at < bucket.names.length; at++) {
    const name = bucket.names[at] ?? '';
    if (!name.startsWith(prefix)) return;
    const cut = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    const versions = all ? (bucket.byName.get(name) ?? []) : [visible(bucket, name)].filter((version) => version !== undefined);
    if (cut >= 0) {
      const own = name.slice(0, cut + delimiter.length);
      if (own !== folder && versions.length > 0) yield { name: (folder = own), version: null };
      continue;
    }
    for (const version of versions) yield { name, version };
  }
}

const describe = (entry: Entry, api: number): unknown =>
  entry.version === null ? describeFolder(entry.name) : describeVersion(entry.version, api);

export function listFileNames(bucket: Bucket, key: Key, fields: Fields, api: number): object {
  const prefix = fields.optional('prefix') ?? '';
  checkPrefix(key, prefix);
  const most = fields.number('maxFileCount', 100, 10_000);
  const files: unknown[] = [];
  for (const entry of entries(bucket, fields.optional('startFileName') ?? '', prefix, fields.optional('delimiter') ?? '', false)) {
    if (files.length === most) return { files, nextFileName: entry.name };
    files.push(describe(entry, api));
  }
  return { files, nextFileName: null };
}

export function listFileVersions(bucket: Bucket, key: Key, fields: Fields, api: number): object {
  const prefix = fields.optional('prefix') ?? '';
  checkPrefix(key, prefix);
  const most = fields.number('maxFileCount', 100, 10_000);
  const start = fields.optional('startFileName') ?? '';
  const startId = fields.optional('startFileId');
  if (startId !== undefined && start === '') throw badRequest('startFileName must be provided when startFileId is');
  const files: unknown[] = [];
  // An id that is gone stands for its place: ids tell their time.
  const before = startId === undefined ? Infinity : timeOfId(startId);
  for (const entry of entries(bucket, start, prefix, fields.optional('delimiter') ?? '', true)) {
    if (entry.version !== null && entry.name === start && entry.version.uploadTimestamp > before) continue;
    if (files.length === most) return { files, nextFileName: entry.name, nextFileId: entry.version?.fileId ?? null };
    files.push(describe(entry, api));
  }
  return { files, nextFileName: null, nextFileId: null };
}

export function listUnfinished(state: State, bucket: Bucket, key: Key, fields: Fields): object {
  const prefix = fields.optional('namePrefix') ?? '';
  checkPrefix(key, prefix);
  const most = fields.number('maxFileCount', 100, 100);
  const from = fields.optional('startFileId');
  const open = [...state.versions.values()].filter(
    (version) => version.bucket === bucket && version.action === 'start' && version.name.startsWith(prefix),
  );
  const rest = open.filter(({ uploadTimestamp }) => from === undefined || uploadTimestamp >= timeOfId(from));
  const page = rest.slice(0, most);
  return { files: page.map(describeUnfinished), nextFileId: rest[most]?.fileId ?? null };
}

export function listParts(version: Version, fields: Fields): object {
  const most = fields.number('maxPartCount', 100, 1000);
  const from = fields.number('startPartNumber', 1, 10_000);
  const numbers = [...version.parts.keys()].sort((a, b) => a - b).filter((number) => number >= from);
  const parts = numbers.slice(0, most).map((partNumber) => {
    const part = version.parts.get(partNumber);
    return {
      fileId: version.fileId,
      partNumber,
      contentLength: part?.size ?? 0,
      contentSha1: part?.sha1 ?? '',
      uploadTimestamp: part?.uploadedAt ?? 0,
    };
  });
  return { parts, nextPartNumber: numbers[most] ?? null };
}

/** Ids are made of the time of their beginning and something random. */
export function idAt(time: number, random: string): string {
  return `4_z${String(time).padStart(15, '0')}_${random}`;
}

function timeOfId(id: string): number {
  const [, time] = /^4_z(\d{15})_/.exec(id) ?? [];
  if (time === undefined) throw badRequest(`Invalid fileId: ${id}`);
  return Number(time);
}
