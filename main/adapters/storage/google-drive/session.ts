import type { IncomingMessage } from 'node:http';
import { Fault } from '../../../contract/faults.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';
import { slim } from '../../network/errors.ts';
import { parsedJson } from '../../network/http.ts';
import { refusalOf, textOf, type About, type DriveApi } from './api.ts';
import { DriveError, notDrive } from './errors.ts';
import { fileFields, ownMark, readFileOf, type DriveFile } from './files.ts';
import { tail } from './pieces.ts';

/** Where a new file goes, or which one gets new content. */
export type Target =
  | { readonly kind: 'create'; readonly id: string; readonly name: string; readonly parent: string }
  | { readonly kind: 'update'; readonly id: string };

/** A resumable session (Google: "Upload file data", resumable). Its address is all that is needed to go on, so it is told to nobody. */
export interface Session {
  /** Sends `pieces`, which lie one behind the other from `start` on, and again what Google did not keep. `total`: they are the last ones. */
  send(start: number, pieces: readonly Uint8Array[], total: number | null, about: About): Promise<DriveFile | null>;
}

export async function beginSession(api: DriveApi, target: Target, about: About): Promise<Session> {
  const base = `${api.place.root}/upload/drive/v3/files`;
  const query = `uploadType=resumable&fields=${fileFields}`;
  const place = target.kind === 'create' ? { id: target.id, name: target.name, parents: [target.parent] } : {};
  const metadata = { ...place, appProperties: ownMark };
  const reply = await api.send(
    {
      url: target.kind === 'create' ? `${base}?${query}` : `${base}/${encodeURIComponent(target.id)}?${query}`,
      method: target.kind === 'create' ? 'POST' : 'PATCH',
      headers: { 'content-type': 'application/json; charset=UTF-8', 'x-upload-content-type': 'application/octet-stream' },
      body: Buffer.from(JSON.stringify(metadata)),
    },
    about,
  );
  if (reply.statusCode !== 200) throw await refusalOf(reply);
  reply.resume();
  const address = reply.headers.location;
  if (address === undefined || !sameSecurity(address, api.place.root)) throw notDrive(about.operation, about.what);
  return openSession(api, address);
}

/** A session's address goes where Google says, but never from https to plain http. */
function sameSecurity(address: string, root: string): boolean {
  return URL.canParse(address) && new URL(address).protocol === new URL(root).protocol;
}

/** So many answers in a row that keep nothing of what was sent are no bad luck any more. */
const patience = 5;

function openSession(api: DriveApi, address: string): Session {
  /** The last answer was lost: nobody knows how much Google has. */
  let unsure = false;

  async function put(range: string, body: readonly Uint8Array[], about: About): Promise<IncomingMessage> {
    unsure = true;
    const reply = await api.send({ url: address, method: 'PUT', headers: { 'content-range': range }, body }, about);
    return reply;
  }

  /** The finished file, or how many bytes Google has kept. */
  async function outcome(reply: IncomingMessage, about: About): Promise<DriveFile | number> {
    const { statusCode = 0, headers } = reply;
    if (statusCode === 308) {
      reply.resume();
      unsure = false;
      const [, last] = /^bytes=0-(\d+)$/.exec(headers.range ?? '') ?? [];
      return last === undefined ? 0 : Number(last) + 1;
    }
    if (statusCode !== 200 && statusCode !== 201) {
      const error = await refusalOf(reply);
      throw error.status === 404 || error.status === 410 ? over(error, about) : error;
    }
    const value = parsedJson((await textOf(reply)) ?? '');
    if (value === undefined) throw notDrive(about.operation, about.what);
    unsure = false;
    return readFileOf(value, about);
  }

  return {
    async send(start, pieces, total, about) {
      const end = start + pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
      let kept = start;
      let idle = 0;
      for (;;) {
        if (unsure) {
          const found = await outcome(await put(`bytes */${total ?? '*'}`, [], about), about);
          if (typeof found !== 'number') return found;
          kept = reached(found, start, about);
        }
        if (kept >= end && total === null) return null;
        const range = kept >= end ? `bytes */${total ?? '*'}` : `bytes ${kept}-${end - 1}/${total ?? '*'}`;
        const found = await outcome(await put(range, tail(pieces, kept - start), about), about);
        if (typeof found !== 'number') return found;
        idle = found > kept ? 0 : idle + 1;
        kept = reached(found, start, about);
        if (idle < patience) continue;
        // Some of it may be kept: the next try asks how much.
        unsure = true;
        throw new Fault('unavailable', `${about.operation} of ${about.what} makes no progress`, {
          operation: about.operation,
          context: { key: about.what, kept },
        });
      }
    },
  };
}

/** Where to go on. Before `start` only the beginning could do so, and that is gone: what had been acknowledged is lost. */
function reached(kept: number, start: number, about: About): number {
  if (kept < start) throw over(new DriveError(308, 'keptLess'), about);
  return kept;
}

function over(error: DriveError, { operation, what }: About): Fault {
  return uploadEnded(operation, what, { context: { status: error.status }, cause: slim(error) });
}
