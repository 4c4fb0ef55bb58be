import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createLine, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { foreignFault } from '../../main/adapters/network/errors.ts';
import { openHttp, readAll } from '../../main/adapters/network/http.ts';
import { watchStalls, type StallWatch } from '../../main/adapters/network/stalled-upload.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Layer } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { patterned, put } from '../conformance/suite-support.ts';
import { startFaultProxy } from '../support/clouds/fault-proxy.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { localCertificate } from '../support/local-certificate.ts';
import { seededRandom } from '../support/seeded-random.ts';

describe('by the limits that all connections have', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  interface Held {
    readonly socket: Duplex;
    readonly watch: StallWatch;
    readonly sizes: number[];
    /** The system takes the piece that it was given last. */
    readonly take: () => Promise<void>;
    readonly error: () => unknown;
  }

  function holding(): Held {
    let taken: (() => void) | undefined;
    let failure: unknown;
    const sizes: number[] = [];
    const socket = new Duplex({
      read: () => undefined,
      write(chunk: Uint8Array, _, done) {
        sizes.push(chunk.byteLength);
        taken = done;
      },
    });
    socket.on('error', (error) => (failure = error));
    const watch = watchStalls(socket);
    return {
      ...{ socket, watch, sizes },
      take: async () => {
        const done = taken;
        taken = undefined;
        done?.();
        await new Promise(setImmediate);
      },
      error: () => failure,
    };
  }

  const mebi = 1024 * 1024;

  test('a part of 16 MiB at 16 KiB a second goes out whole', async () => {
    const { socket, sizes, take } = holding();
    socket.write(patterned(16 * mebi));
    for (let piece = 0; piece < 256; piece++) {
      await vi.advanceTimersByTimeAsync(4_000);
      await take();
    }
    expect([sizes.length, Math.max(...sizes), socket.destroyed]).toEqual([256, 64 * 1024, false]);
    // What the system still holds leaves as slowly; then the answer comes.
    await vi.advanceTimersByTimeAsync((4 * mebi) / 16.384 + 59_000);
    expect(socket.destroyed).toBe(false);
  });

  test('a line that stands still for a minute ends, whatever had left by then', async () => {
    const { socket, take, error } = holding();
    socket.write(patterned(16 * mebi));
    await take();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(socket.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect([socket.destroyed, error()]).toEqual([true, expect.objectContaining({ code: 'ETIMEDOUT' })]);
    expect(foreignFault(error(), 'writePart', 'x', {})).toMatchObject({ code: 'timeout', persistence: 'temporary' });
  });

  test('a part that has left and is not answered ends after the time in which the system sends what it holds, and a minute', async () => {
    const { socket, take, sizes, error } = holding();
    socket.write(patterned(5 * mebi));
    while (sizes.length < 80) await take();
    await take();
    await vi.advanceTimersByTimeAsync(315_000);
    expect(socket.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(error()).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test.each([
    ['a small request that is answered late', 1_000, false],
    ['a large one that has been answered, as its connection waits for the next', 5 * mebi, true],
  ])('%s is nobody’s fault', async (_, size, answered) => {
    const { socket, take, watch } = holding();
    socket.write(patterned(size));
    for (let piece = 0; piece < 80; piece++) await take();
    if (answered) watch.heard();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(socket.destroyed).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('what is written in one go of several pieces is watched as well', async () => {
    const { socket, error } = holding();
    socket.cork();
    socket.write(patterned(100));
    socket.write(patterned(mebi));
    socket.uncork();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(error()).toMatchObject({ code: 'ETIMEDOUT' });
  });
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await closed(server);
});

const content = patterned(8 * 1024 * 1024);

/** A provider whose parts are requests to `endpoint`; everything else is memory. */
function sendingParts(endpoint: string): Layer {
  const http = openHttp({ idleMs: 500, answerMs: 500, held: 4 * 1024 * 1024 });
  return (inner) => ({
    ...inner,
    beginUpload: async (key, options) => {
      const upload = await inner.beginUpload(key, options);
      return {
        ...upload,
        async writePart(index, bytes, call) {
          try {
            const reply = await http({ url: endpoint, method: 'PUT', headers: {}, body: bytes, signal: call?.signal });
            await readAll(reply, 1_000);
          } catch (error) {
            throw foreignFault(error, 'writePart', key, {});
          }
          await upload.writePart(index, bytes, call);
        },
      };
    },
  });
}

/** Sends it through the whole stack; settles to what it was tried again for. */
async function sentTo(endpoint: string): Promise<readonly string[]> {
  const seen: string[] = [];
  const { backend } = standardStack(sendingParts(endpoint)(memoryBackend()), {
    clock: systemClock,
    random: seededRandom(1),
    retry: { baseMs: 2, capMs: 20, onRetry: ({ fault }) => void seen.push(fault.code) },
  });
  await put(backend, 'a', content);
  return seen;
}

test.each(['is read no more in its middle', 'is read whole and never answered'])(
  'a part that %s is sent again over a new connection',
  async (how) => {
    const received: number[] = [];
    const server = createServer((request, response) => {
      let size = 0;
      request.on('data', (piece: Uint8Array) => (size += piece.byteLength));
      request.on('end', () => {
        received.push(size);
        response.end();
      });
    });
    servers.push(server);
    let left = 1;
    const isFirst = (): boolean => left-- > 0;
    const never = (request: IncomingMessage): Promise<void> => new Promise((done) => request.once('close', done));
    const stalls = how.includes('whole');
    const proxy = await startFaultProxy<never>(
      await listening(server),
      () => (stalls && isFirst() ? 'stall' : null),
      {},
      // What nobody reads stays on the line.
      (request) => (!stalls && isFirst() ? never(request) : undefined),
    );
    try {
      expect([await sentTo(proxy.endpoint), received]).toEqual([['timeout'], [content.byteLength]]);
    } finally {
      await proxy.close();
    }
  },
);

/** A line to `port`, of which the first connection carries no more after so many bytes that went up, and does not end. */
async function startStallingLine(port: number, after: number): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let isFirst = true;
  const line = createLine((socket) => {
    const stalls = isFirst;
    isFirst = false;
    let passed = 0;
    const onward = connect(port, '127.0.0.1');
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => {
        socket.destroy();
        onward.destroy();
      });
    }
    socket.on('data', (bytes: Buffer) => {
      passed += bytes.byteLength;
      if (stalls && passed > after) socket.pause();
      else onward.write(bytes);
    });
    onward.pipe(socket);
  });
  await new Promise<void>((done) => line.listen(0, '127.0.0.1', done));
  const address = line.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => line.close(done));
    },
  };
}

test.each([
  ['stands still in its middle', 1024 * 1024],
  ['is read whole and never answered', Infinity],
])('under TLS, too, a part that %s is sent again over a new connection', async (_, after) => {
  const { forget, ...certificate } = localCertificate();
  const answered: number[] = [];
  let unanswered = after === Infinity ? 1 : 0;
  const server = createTlsServer(certificate, (request, response) => {
    let size = 0;
    request.on('data', (piece: Uint8Array) => (size += piece.byteLength));
    request.on('end', () => {
      if (unanswered-- > 0) return;
      answered.push(size);
      response.end();
    });
    request.on('error', () => undefined);
  });
  servers.push(server);
  const line = await startStallingLine(await listening(server), after);
  try {
    expect([await sentTo(`https://localhost:${line.port}`), answered]).toEqual([['timeout'], [content.byteLength]]);
  } finally {
    await line.close();
    forget();
  }
});
