import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { Fault } from '../../contract/faults.ts';
import { isErrno, shown } from './file-calls.ts';

/** Held while a run changes a target. */
export interface TargetLock {
  release(): Promise<void>;
}

/**
 * One run at a time on one target: a Linux socket in the abstract namespace, a Windows pipe elsewhere. The kernel lets go of it when
 * the process ends, however it ends, so that no stale lock exists and nobody has to guess whether a process id is still the same.
 * Not seen across network namespaces: two containers that restore into one shared folder at the same time are not kept apart.
 * Faults: locked.
 */
export async function lockTarget(target: Buffer): Promise<TargetLock> {
  const name = `holdfast-restore-${createHash('sha256').update(target).digest('hex').slice(0, 40)}`;
  const server = createServer((connection) => connection.destroy());
  server.unref();
  try {
    await listen(server, process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`);
  } catch (error) {
    if (!isErrno(error, 'EADDRINUSE')) throw error;
    throw new Fault('locked', `another restore or undo is at work on ${shown(target)}`, {
      operation: 'restore',
      context: { target: shown(target) },
    });
  }
  return { release: () => new Promise((done) => server.close(() => done())) };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen({ path }, () => {
      server.off('error', fail);
      done();
    });
  });
}
