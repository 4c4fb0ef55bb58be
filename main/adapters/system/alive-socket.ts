import { unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { errnoOf } from '../network/errors.ts';

/** What tells whether a process still runs where its pid says nothing: in another container on the same kernel. */
export interface AliveSocket {
  close(): Promise<void>;
}

/** sockaddr_un has 108 bytes, the last one for a zero. */
const longestPath = 107;

/**
 * Listens on `<folder>/<token>.alive` until it is closed; the kernel lets go of it with the process. Null where there can be none: the path is
 * too long, or the file system has no sockets.
 */
export async function listenAlive(folder: string, token: string): Promise<AliveSocket | null> {
  const path = pathOf(folder, token);
  if (Buffer.byteLength(path) > longestPath) return null;
  const server = createServer((socket) => socket.destroy());
  // It is no reason for the process to stay.
  server.unref();
  const listens = await new Promise<boolean>((settle) => {
    server.once('error', () => settle(false)).listen(path, () => settle(true));
  });
  if (!listens) return null;
  return { close: () => new Promise((settle) => void server.close(() => settle())) };
}

/**
 * Whether nobody listens there any more: certain, as each token is used once and its socket is there before the token is known. False where that
 * cannot be seen: there was no socket, or it belongs to somebody else.
 */
export async function hasEnded(folder: string, token: string): Promise<boolean> {
  const path = pathOf(folder, token);
  if (Buffer.byteLength(path) > longestPath) return false;
  return await new Promise<boolean>((settle) => {
    const socket = connect(path);
    socket.once('connect', () => settle(false)).once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED'));
    socket.once('close', () => socket.destroy());
  });
}

/** Of one that has ended: its file stays until somebody takes it away. */
export async function removeAlive(folder: string, token: string): Promise<void> {
  try {
    await unlink(pathOf(folder, token));
  } catch (error) {
    // There was none, or it is another user's: it says nothing to anybody any more.
    if (!['ENOENT', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
  }
}

function pathOf(folder: string, token: string): string {
  return join(folder, `${token}.alive`);
}
