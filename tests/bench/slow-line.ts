/**
 * `slow-line.ts PORT RTT_MS BITS_PER_SECOND`: a line to the server at PORT of this computer, in a process of its own: every byte arrives half
 * the round trip later, and all connections share the rate, each direction its own. Prints the port to use instead. Ends with its standard input.
 */
import { connect, createServer, type Socket } from 'node:net';

const [target = 0, rtt = 0, rate = Infinity] = process.argv.slice(2).map(Number);
/** What one connection may have on its way, as a receive window of usual size. */
const window = 4 * 1024 * 1024;

/** When the last byte of a direction has passed the narrowest point. */
interface Direction {
  freeAt: number;
}

const up: Direction = { freeAt: 0 };
const down: Direction = { freeAt: 0 };

function carry(from: Socket, to: Socket, direction: Direction): void {
  let underWay = 0;
  // One timer for all: two timers of different lengths may fire in the wrong order.
  const waiting: { readonly at: number; readonly work: () => void }[] = [];
  const after = (work: () => void): void => {
    if (waiting.push({ at: direction.freeAt + rtt / 2, work }) === 1) setTimeout(arrive, rtt / 2);
  };
  function arrive(): void {
    for (let next = waiting[0]; next !== undefined && next.at <= performance.now(); next = waiting[0]) {
      waiting.shift();
      next.work();
    }
    const next = waiting[0];
    if (next !== undefined) setTimeout(arrive, Math.max(1, next.at - performance.now()));
  }
  from.on('data', (bytes: Uint8Array) => {
    direction.freeAt = Math.max(direction.freeAt, performance.now()) + (bytes.byteLength * 8000) / rate;
    underWay += bytes.byteLength;
    if (underWay > window) from.pause();
    after(() => {
      underWay -= bytes.byteLength;
      if (!to.destroyed) to.write(bytes);
      if (underWay <= window) from.resume();
    });
  });
  from.on('end', () => {
    direction.freeAt = Math.max(direction.freeAt, performance.now());
    after(() => to.end());
  });
  from.on('error', () => to.destroy());
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  carry(near, far, up);
  carry(far, near, down);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${String(typeof address === 'object' && address !== null ? address.port : 0)}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
