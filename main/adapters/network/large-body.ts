import type { IncomingMessage } from 'node:http';
import { takeOver } from './agents.ts';

/** The connection is given up for it, so it must be worth a new one. */
const largeBody = 16 * 1024 * 1024;
const pieceSize = 512 * 1024;
/** A slow line's bytes are passed on after so long, full piece or not, so that its progress is seen. */
const longestMs = 250;

/**
 * A body in pieces as they suit it: a large one whose length was told in pieces of half a megabyte, in two buffers used in turn, each
 * valid until the next is asked for; any other as it comes. What came before the line broke is given first, then its error.
 */
export function bodyOf(message: IncomingMessage): AsyncIterable<Uint8Array> {
  const length = Number(message.headers['content-length'] ?? '0');
  return length >= largeBody ? largePieces(message, length) : message;
}

async function* largePieces(message: IncomingMessage, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { socket } = message;
  const buffers = [Buffer.allocUnsafeSlow(pieceSize), Buffer.allocUnsafeSlow(pieceSize)] as const;
  let current: Buffer = buffers[0];
  let filled = 0;
  let received = 0;
  let since = 0;
  /** What came while the buffer was full, before the socket had stopped. */
  let spilt: Buffer[] = [];
  let failure: Error | undefined;
  let wake = (): void => undefined;

  const isReady = (): boolean =>
    filled === pieceSize || received >= length || failure !== undefined || (filled > 0 && performance.now() - since > longestMs);

  function add(bytes: Uint8Array): void {
    if (filled === 0) since = performance.now();
    const taken = Math.min(bytes.byteLength, pieceSize - filled);
    current.set(bytes.subarray(0, taken), filled);
    filled += taken;
    if (taken < bytes.byteLength) spilt.push(Buffer.from(bytes.subarray(taken)));
  }

  function take(bytes: Uint8Array): void {
    received += bytes.byteLength;
    add(bytes);
    if (filled === pieceSize) socket.pause();
    if (isReady()) wake();
  }

  function next(): Uint8Array {
    const piece = current.subarray(0, filled);
    current = current === buffers[0] ? buffers[1] : buffers[0];
    filled = 0;
    const late = spilt;
    spilt = [];
    for (const bytes of late) add(bytes);
    if (filled < pieceSize && received < length) socket.resume();
    return piece;
  }

  function fail(error: Error): void {
    failure ??= error;
    wake();
  }

  message.on('error', fail);
  message.on('close', () => fail(new Error('the connection was closed')));
  try {
    if (!takeOver(message, take)) {
      yield* message;
      return;
    }
    for (;;) {
      if (!isReady()) await new Promise<void>((done) => (wake = done));
      if (filled > 0) yield next();
      else if (failure !== undefined && received < length) throw failure;
      else if (received >= length) return;
    }
  } finally {
    message.destroy();
  }
}
