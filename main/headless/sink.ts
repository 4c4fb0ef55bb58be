import { isatty } from 'node:tty';
import { Fault } from '../contract/faults.ts';
import { errnoOf, isFull } from '../compose/errno.ts';
import type { Sink } from './host.ts';

/**
 * A process stream as a Sink. Once its reader has gone (EPIPE) everything further is dropped in silence: `| head` is no failure of ours.
 * A full disk behind it is fault disk-full.
 */
export function sinkOf(stream: typeof process.stdout | typeof process.stderr): Sink {
  let closed = false;
  // Without a listener Node ends the process with a stack; each failed write reports the same error to its own callback.
  stream.on('error', () => {
    closed = true;
  });
  return {
    isTTY: isatty(stream.fd),
    get columns() {
      return stream.columns > 0 ? stream.columns : 80;
    },
    get closed() {
      return closed;
    },
    write: (data) => {
      if (closed || data.length === 0) return Promise.resolve();
      return new Promise((settle, fail) => {
        stream.write(data, (error) => {
          if (error === null || error === undefined) return settle();
          closed = true;
          const code = errnoOf(error);
          if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return settle();
          fail(writeFault(error));
        });
      });
    },
  };
}

function writeFault(error: Error): Fault {
  return isFull(error)
    ? new Fault('disk-full', 'There is no space left for the output', { operation: 'print', cause: error })
    : new Fault('unexpected', 'The output cannot be written', { operation: 'print', cause: error });
}
