import type { Duplex } from 'node:stream';

export interface StallLimits {
  /** So long no byte of what is to go out may fail to leave, milliseconds. */
  readonly idleMs: number;
  /** After more than `held` bytes have left, so long may nothing be answered, milliseconds. */
  readonly answerMs: number;
  /** What the system may still hold when all has left, bytes. */
  readonly held: number;
}

const held = 4 * 1024 * 1024;
/** A line of 16 KiB a second, the slowest that the timeout layer allows for, empties what is held within four minutes; then a minute for the answer. */
const standardLimits: StallLimits = { idleMs: 60_000, answerMs: 60_000 + (held / 16_384) * 1000, held };

/** Small enough for a share of a slow line to take one well within the limit. */
const pieceSize = 64 * 1024;

export interface StallWatch {
  /** Something has come from the other side. */
  heard(): void;
}

type Done = (error?: Error | null) => void;

/**
 * Ends `socket` with error ETIMEDOUT when what is to go out stands still. The timeout layer sees an upload only as a whole, and must leave a large part
 * the time that a slow line needs for it: a line that is dead would be waited for as long. So large writes are handed to the system in
 * pieces, whose leaving is the progress. Nothing is copied, and after the socket has been destroyed no piece is read any more.
 */
export function watchStalls(socket: Duplex, limits: StallLimits = standardLimits): StallWatch {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  let timer: NodeJS.Timeout | undefined;
  let writing = false;
  let unanswered = 0;

  function limit(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const error = new Error(writing ? 'nothing was sent any more' : 'nothing was answered to what was sent');
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    }, ms).unref();
  }

  function free(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  /** `send` one thing of `size` bytes. */
  function sending(size: number, send: (done: Done) => void, done: Done): void {
    writing = true;
    limit(limits.idleMs);
    send((error) => {
      writing = false;
      unanswered += size;
      if (unanswered > limits.held && !socket.destroyed) limit(limits.answerMs);
      else free();
      done(error);
    });
  }

  function inPieces(chunk: Uint8Array, encoding: BufferEncoding, at: number, done: Done): void {
    const end = Math.min(at + pieceSize, chunk.byteLength);
    sending(
      end - at,
      (sent) => write(chunk.subarray(at, end), encoding, sent),
      (error) => {
        if ((error !== undefined && error !== null) || end === chunk.byteLength) done(error);
        // Not at once: what the system takes without waiting would make each piece a deeper call.
        else process.nextTick(inPieces, chunk, encoding, end, done);
      },
    );
  }

  function one(chunk: Uint8Array | string, encoding: BufferEncoding, done: Done): void {
    if (typeof chunk === 'string') sending(chunk.length, (sent) => write(chunk, encoding, sent), done);
    else inPieces(chunk, encoding, 0, done);
  }

  socket._write = one;
  if (writev !== undefined) {
    socket._writev = (chunks: { readonly chunk: Uint8Array | string; readonly encoding: BufferEncoding }[], done) => {
      const size = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
      const inTurn = (at: number): void => {
        const next = chunks[at];
        if (next === undefined) done();
        else one(next.chunk, next.encoding, (error) => (error === undefined || error === null ? inTurn(at + 1) : done(error)));
      };
      if (size <= pieceSize) sending(size, (sent) => writev(chunks, sent), done);
      else inTurn(0);
    };
  }
  socket.once('close', free);
  return {
    heard() {
      unanswered = 0;
      if (writing) limit(limits.idleMs);
      else free();
    },
  };
}
