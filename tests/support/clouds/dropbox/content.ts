import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { receiveToFile, sendFile, sendJson } from '../serve.ts';
import { appendConcurrent, endConcurrent, startConcurrent } from './concurrent.ts';
import { Refusal } from './refusal.ts';
import { argumentOf, contentHash, metadataOf, type Session, type State } from './state.ts';

const longestRequest = 150 * 1024 * 1024;
const weekMs = 7 * 86_400_000;

/** An argument of one of several kinds, in its short or its long form. */
type Tagged = string | { readonly '.tag': string };

interface Commit {
  readonly path: string;
  readonly mode?: Tagged;
  readonly strict_conflict?: boolean;
}

/** Of the body of this one call. */
interface Hashed {
  readonly content_hash?: string;
}

interface Cursor {
  readonly session_id: string;
  readonly offset: number;
}

/** Calls of the content host. Their argument comes in a header. */
export async function answerContent(
  state: State,
  route: string,
  request: IncomingMessage,
  response: ServerResponse,
  now: number,
): Promise<void> {
  const argument = headerArgument(request);
  if (route === 'files/download') {
    const { path } = argument as { readonly path: string };
    const file = state.find(path);
    if (file === undefined) throw new Refusal(409, ['path', state.folders.has(path.toLowerCase()) ? 'not_file' : 'not_found']);
    await sendFile(request, response, file.blob, file.size, {
      'content-type': 'application/octet-stream',
      'dropbox-api-result': headerJson(metadataOf(file)),
      'original-content-length': String(file.size),
    });
    return;
  }
  if (Number(request.headers['content-length'] ?? 0) > longestRequest) throw new Refusal(409, ['payload_too_large']);
  switch (route) {
    case 'files/upload': {
      const { path, content_hash: hash, ...how } = argument as Commit & Hashed;
      const { blob, size } = await received(state, request, hash);
      sendJson(response, 200, await state.commit(path, blob, size, modeOf(how), how.strict_conflict === true).then(metadataOf));
      return;
    }
    case 'files/upload_session/start': {
      const {
        close = false,
        session_type: type = 'sequential',
        content_hash: hash,
      } = argument as Hashed & { readonly close?: boolean; readonly session_type?: Tagged };
      const { blob, size } = await received(state, request, hash);
      const id = `pid_upload_session:${randomBytes(12).toString('hex')}`;
      const pieces = tagOf(type) === 'concurrent' ? startConcurrent(size, close) : null;
      state.sessions.set(id, { blob, offset: size, closed: close, startedAt: now, pieces });
      sendJson(response, 200, { session_id: id });
      return;
    }
    case 'files/upload_session/append_v2': {
      const { cursor, close = false, content_hash: hash } = argument as Hashed & { readonly cursor: Cursor; readonly close?: boolean };
      const session = sessionAt(state, cursor, now, []);
      if (session.pieces === null) {
        await appendTo(state, session, cursor, request, hash);
        session.closed = close;
      } else await appendConcurrent(state, session, session.pieces, cursor.offset, close, request);
      sendJson(response, 200, null);
      return;
    }
    case 'files/upload_session/finish': {
      const { cursor, commit, content_hash: hash } = argument as Hashed & { readonly cursor: Cursor; readonly commit: Commit };
      const session = sessionAt(state, cursor, now, ['lookup_failed'], true);
      if (session.pieces !== null) session.offset = endConcurrent(session.pieces, cursor.offset, await lengthOf(state, request));
      else if (!session.closed) await appendTo(state, session, cursor, request, hash);
      sendJson(response, 200, await finished(state, cursor, session, commit));
      return;
    }
    default:
      throw new Refusal(404, ['no_such_route']);
  }
}

/** The part of a batch, in which all sessions must have been closed. */
export async function finishOne(state: State, entry: { readonly cursor: Cursor; readonly commit: Commit }, now: number): Promise<object> {
  try {
    const session = sessionAt(state, entry.cursor, now, ['lookup_failed'], true);
    if (session.pieces !== null) session.offset = endConcurrent(session.pieces, entry.cursor.offset, 0);
    else if (!session.closed) throw new Refusal(409, ['lookup_failed', 'not_closed']);
    return { ...(await finished(state, entry.cursor, session, entry.commit)), '.tag': 'success' };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const [tag = '', ...inner] = error.tags;
    return { '.tag': 'failure', failure: { '.tag': tag, [tag]: { '.tag': inner[0] } } };
  }
}

async function finished(state: State, { session_id: id }: Cursor, { blob, offset }: Session, { path, ...how }: Commit): Promise<object> {
  const file = await state.commit(path, blob, offset, modeOf(how), how.strict_conflict === true);
  state.sessions.delete(id);
  return metadataOf(file);
}

function sessionAt(state: State, cursor: Cursor, now: number, around: readonly string[], mayBeClosed = false): Session {
  const session = state.sessions.get(cursor.session_id);
  if (session === undefined || now - session.startedAt > weekMs) throw new Refusal(409, [...around, 'not_found']);
  if (session.pieces !== null) return session;
  if (session.offset !== cursor.offset) throw new Refusal(409, [...around, 'incorrect_offset'], { correct_offset: session.offset });
  if (session.closed && !mayBeClosed) throw new Refusal(409, [...around, 'closed']);
  return session;
}

/** With a hash, the body is looked at by itself before it counts. */
async function appendTo(state: State, session: Session, { offset }: Cursor, request: IncomingMessage, hash?: string): Promise<void> {
  if (hash === undefined) {
    session.offset = offset + (await receiveToFile(request, session.blob, offset)).size;
    return;
  }
  const { blob: tail, size } = await received(state, request, hash);
  await pipeline(createReadStream(tail), createWriteStream(session.blob, { flags: 'r+', start: offset }));
  rmSync(tail);
  session.offset = offset + size;
}

/** The body in a file of its own, as its hash says where one is told. */
async function received(
  state: State,
  request: IncomingMessage,
  hash: string | undefined,
): Promise<{ readonly blob: string; readonly size: number }> {
  const blob = state.newBlob();
  const { size } = await receiveToFile(request, blob);
  if (hash === undefined || (await contentHash(blob)) === hash) return { blob, size };
  rmSync(blob);
  throw new Refusal(409, ['content_hash_mismatch']);
}

async function lengthOf(state: State, request: IncomingMessage): Promise<number> {
  const blob = state.newBlob();
  const { size } = await receiveToFile(request, blob);
  rmSync(blob);
  return size;
}

function modeOf({ mode = 'add' }: Pick<Commit, 'mode'>): string {
  return tagOf(mode);
}

function tagOf(kind: Tagged): string {
  return typeof kind === 'string' ? kind : kind['.tag'];
}

/** As the real one writes it: a header holds ASCII, all else is escaped. */
function headerJson(value: object): string {
  const letters = JSON.stringify(value).split('');
  return letters.map((letter) => (/[ -~]/.test(letter) ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('');
}

/** Only what a header may hold: anything beyond ASCII is refused, as the real one does. */
function headerArgument(request: IncomingMessage): unknown {
  const text = request.headers['dropbox-api-arg'];
  if (typeof text !== 'string' || /[^\u0020-\u007e]/.test(text)) throw new Refusal(400, ['could not decode the Dropbox-API-Arg header']);
  try {
    return argumentOf(text);
  } catch {
    throw new Refusal(400, ['the Dropbox-API-Arg header is no JSON']);
  }
}
