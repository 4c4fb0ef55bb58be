import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { receiveToFile } from '../serve.ts';
import { Refusal } from './refusal.ts';
import type { Session, State } from './state.ts';

const block = 4 * 1024 * 1024;

/** What a concurrent session has: its pieces come in any order. */
export interface Pieces {
  /** Where each begins, and how long it is. */
  readonly sizes: Map<number, number>;
  /** Where the one that was sent with `close` ends. */
  end: number | null;
}

/** Dropbox: "no data with start or finish"; nor can a session begin closed. */
export function startConcurrent(size: number, close: boolean): Pieces {
  if (size > 0) throw new Refusal(409, ['concurrent_session_data_not_allowed']);
  if (close) throw new Refusal(409, ['concurrent_session_close_not_allowed']);
  return { sizes: new Map(), end: null };
}

/** Dropbox: "must be multiple of 4194304 bytes (except for last append with close, that may contain any remaining data)". */
export async function appendConcurrent(
  state: State,
  { blob }: Session,
  pieces: Pieces,
  offset: number,
  close: boolean,
  request: IncomingMessage,
): Promise<void> {
  if (offset % block !== 0) throw new Refusal(409, ['concurrent_session_invalid_offset']);
  if (pieces.end !== null && (close || offset >= pieces.end)) throw new Refusal(409, ['closed']);
  const piece = state.newBlob();
  const { size } = await receiveToFile(request, piece);
  if (size % block !== 0 && !close) throw new Refusal(409, ['concurrent_session_invalid_data_size']);
  await pipeline(createReadStream(piece), createWriteStream(blob, { flags: 'r+', start: offset }));
  rmSync(piece);
  pieces.sizes.set(offset, size);
  if (close) pieces.end = offset + size;
}

/** How long the file is. */
export function endConcurrent({ sizes, end }: Pieces, offset: number, size: number): number {
  if (size > 0) throw new Refusal(409, ['concurrent_session_data_not_allowed']);
  if (end === null) throw new Refusal(409, ['concurrent_session_not_closed']);
  let whole = 0;
  while (whole < end) {
    const next = sizes.get(whole) ?? 0;
    if (next === 0) throw new Refusal(409, ['concurrent_session_missing_data']);
    whole += next;
  }
  if (offset !== end) throw new Refusal(409, ['lookup_failed', 'incorrect_offset'], { correct_offset: end });
  return end;
}
