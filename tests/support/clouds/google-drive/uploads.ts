import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { receiveBytes, receiveToFile, sendJson } from '../serve.ts';
import { Refusal } from './refusal.ts';
import { contentOf, resourceOf, type Item, type Metadata, type Session, type State } from './state.ts';

const chunkMultiple = 256 * 1024;
const weekMs = 7 * 86_400_000;

export interface UploadFaults {
  /** How many bytes of a piece are kept at most; the rest has to be sent again. */
  keepAtMost: number;
  /** Where a session stands after each piece, though it had acknowledged more. */
  forgetBeyond: number;
}

/** `/upload/drive/v3/files…`: sessions, and files in one request. */
export async function answerUpload(
  state: State,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
  faults: UploadFaults,
  now: number,
): Promise<void> {
  const sessionId = url.searchParams.get('upload_id');
  if (sessionId !== null) {
    await answerSession(state, sessionId, url, request, response, faults, now);
    return;
  }
  const fileId = /^\/upload\/drive\/v3\/files\/([^/]+)$/.exec(url.pathname)?.[1] ?? null;
  if (fileId !== null) state.get(fileId);
  if (request.method !== (fileId === null ? 'POST' : 'PATCH')) throw new Refusal(405, 'methodNotAllowed');
  switch (url.searchParams.get('uploadType')) {
    case 'resumable': {
      const text = (await receiveBytes(request)).toString('utf8');
      const metadata = JSON.parse(text === '' ? '{}' : text) as Metadata;
      const id = randomBytes(24).toString('base64url');
      state.sessions.set(id, { blob: state.newBlob(), kept: 0, metadata, fileId, startedAt: now, done: null });
      const scheme = 'encrypted' in request.socket ? 'https' : 'http';
      const again = new URLSearchParams(url.searchParams);
      again.set('upload_id', id);
      response.writeHead(200, {
        location: `${scheme}://${request.headers.host ?? ''}${url.pathname}?${again.toString()}`,
        'content-length': '0',
      });
      response.end();
      return;
    }
    case 'multipart': {
      const { metadata, bytes } = related(request, await receiveBytes(request, 64 * 1024 * 1024));
      const blob = state.newBlob();
      await writeFile(blob, bytes);
      sendJson(response, 200, await stored(state, fileId, metadata, blob, url));
      return;
    }
    case 'media': {
      const blob = state.newBlob();
      await receiveToFile(request, blob);
      sendJson(response, 200, await stored(state, fileId, {}, blob, url));
      return;
    }
    default:
      throw new Refusal(400, 'badRequest');
  }
}

async function answerSession(
  state: State,
  id: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
  faults: UploadFaults,
  now: number,
): Promise<void> {
  const session = state.sessions.get(id);
  if (session === undefined || now - session.startedAt > weekMs) throw new Refusal(404, 'notFound');
  if (request.method !== 'PUT' && request.method !== 'POST') throw new Refusal(405, 'methodNotAllowed');
  if (session.done !== null) {
    request.resume();
    sendJson(response, 200, resourceOf(session.done, fieldsOf(url)));
    return;
  }
  const [, query, first, last, totalText] = /^bytes (?:(\*)|(\d+)-(\d+))\/(\*|\d+)$/.exec(request.headers['content-range'] ?? '') ?? [];
  const total = totalText === undefined || totalText === '*' ? null : Number(totalText);
  if (totalText === undefined) throw new Refusal(400, 'badRequest');
  if (query === undefined) await takePiece(session, request, Number(first), Number(last), total, faults);
  else request.resume();
  if (total === null || session.kept < total) {
    response.writeHead(308, { 'content-length': '0', ...(session.kept === 0 ? {} : { range: `bytes=0-${session.kept - 1}` }) });
    response.end();
    return;
  }
  if (session.kept === 0) await writeFile(session.blob, '');
  const done = await storedItem(state, session.fileId, session.metadata, session.blob);
  session.done = done;
  sendJson(response, 200, resourceOf(done, fieldsOf(url)));
}

async function takePiece(
  session: Session,
  request: IncomingMessage,
  first: number,
  last: number,
  total: number | null,
  faults: UploadFaults,
): Promise<void> {
  const length = last - first + 1;
  if (Number(request.headers['content-length'] ?? length) !== length || length < 1) throw new Refusal(400, 'badRequest');
  // A mistake of the client's: said as weather it would be tried again until it is right by chance.
  if (first !== session.kept) throw new Refusal(400, 'badRequest');
  if (total === null && length % chunkMultiple !== 0) throw new Refusal(400, 'badRequest');
  if (total !== null && last >= total) throw new Refusal(400, 'badRequest');
  const { size } = await receiveToFile(request, session.blob, first);
  if (size !== length) throw new Refusal(400, 'badRequest');
  const keeps = Math.min(length, Math.floor(faults.keepAtMost / chunkMultiple) * chunkMultiple);
  session.kept = Math.min(faults.forgetBeyond, first + (length > faults.keepAtMost ? keeps : length));
}

async function storedItem(state: State, fileId: string | null, metadata: Metadata, blob: string): Promise<Item> {
  const content = await contentOf(blob);
  return fileId === null ? state.create(metadata, content) : state.replace(fileId, metadata, content);
}

async function stored(state: State, fileId: string | null, metadata: Metadata, blob: string, url: URL): Promise<object> {
  return resourceOf(await storedItem(state, fileId, metadata, blob), fieldsOf(url));
}

function fieldsOf(url: URL): string {
  return url.searchParams.get('fields') ?? '';
}

/** multipart/related of two parts (RFC 2387): JSON, then the bytes. */
function related(request: IncomingMessage, body: Buffer): { readonly metadata: Metadata; readonly bytes: Buffer } {
  const boundary = /boundary="?([^";]+)"?/.exec(request.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw new Refusal(400, 'badRequest');
  const mark = Buffer.from(`--${boundary}`);
  const second = body.indexOf(mark, mark.length);
  const end = body.lastIndexOf(Buffer.from(`\r\n--${boundary}--`));
  const content = (part: Buffer): Buffer => part.subarray(part.indexOf('\r\n\r\n') + 4);
  if (second < 0 || end < 0) throw new Refusal(400, 'badRequest');
  const json = content(body.subarray(0, second)).toString('utf8').trim();
  return { metadata: JSON.parse(json) as Metadata, bytes: content(body.subarray(second, end)) };
}
