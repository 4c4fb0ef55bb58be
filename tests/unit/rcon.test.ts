import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { openRcon, type Rcon } from '../../main/adapters/quiesce/rcon.ts';
import { minecraftQuiesce, rconQuiesce } from '../../main/adapters/quiesce/rcon-quiesce.ts';
import type { Quiesce } from '../../main/engine/service/ports.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRconServer, type RconServer } from '../support/rcon-server.ts';

const password = 'correct horse';
let server: RconServer;
beforeEach(async () => {
  server = await startRconServer(password);
});
afterEach(() => server.close());

const place = (): { host: string; port: number; timeoutMs: number } => ({ host: '127.0.0.1', port: server.port, timeoutMs: 20_000 });
const rcon = (): { host: string; port: number; timeoutSeconds: number } => ({ host: '127.0.0.1', port: server.port, timeoutSeconds: 20 });
const sure = new AbortController().signal;

async function used<T>(work: (console: Rcon) => Promise<T>, clock = systemClock): Promise<T> {
  const console = await openRcon(place(), password, clock);
  try {
    return await work(console);
  } finally {
    console.close();
  }
}

describe('the console', () => {
  test.each([false, true])('commands are answered one after the other, also when each byte comes by itself: %s', async (byteByByte) => {
    server.byteByByte = byteByByte;
    server.emptyValueFirst = byteByByte;
    server.reply = (command) => `reply to ${command} ü`;
    expect(await used(async (console) => [await console.command('one'), await console.command('two')])).toEqual([
      'reply to one ü',
      'reply to two ü',
    ]);
    expect(server.done).toEqual(['one', 'two']);
  });

  test.each([0, 1, 4095, 4096, 4097, 8192, 50_000])(
    'a reply of %d bytes comes whole, and the next one is not mixed up with it',
    async (size) => {
      server.reply = (command) => (command === 'list' ? 'x'.repeat(size) : 'next');
      expect(await used(async (console) => [(await console.command('list')).length, await console.command('more')])).toEqual([
        size,
        'next',
      ]);
    },
  );

  test('a wrong password is unauthenticated, an empty one is not even tried', async () => {
    expect(await codeOf(openRcon(place(), 'wrong', systemClock))).toBe('unauthenticated');
    expect(await codeOf(openRcon(place(), '', systemClock))).toBe('config-invalid');
  });

  test('nobody listens', async () => {
    await server.close();
    await expect(openRcon(place(), password, systemClock)).rejects.toMatchObject({
      code: 'unavailable',
      context: { reason: 'ECONNREFUSED' },
    });
    server = await startRconServer(password);
  });

  test('a command that is too long for the game is refused here', async () => {
    expect(await codeOf(used((console) => console.command('x'.repeat(1441))))).toBe('config-invalid');
    expect(server.done).toEqual([]);
  });

  test.each(['cut', 'cut-within'] as const)('a line that breaks is weather: %s', async (mishap) => {
    server.mishap = () => mishap;
    expect(await codeOf(used((console) => console.command('list')))).toBe('unavailable');
  });

  test('one that hangs is given up after its time, and its connection closed', async () => {
    const clock = fakeClock();
    server.mishap = () => 'hang';
    const console = await openRcon(place(), password, clock);
    const outcome = codeOf(console.command('list'));
    await clock.untilSomebodySleeps();
    await clock.advance(20_000);
    expect(await outcome).toBe('timeout');
    // Its reply might come to the next command otherwise.
    expect(await codeOf(console.command('more'))).not.toBe('no fault');
    expect(server.done).toEqual([]);
  });

  test('it can be called off while it waits', async () => {
    const controller = new AbortController();
    server.mishap = () => {
      controller.abort();
      return 'hang';
    };
    const console = await openRcon(place(), password, systemClock, controller.signal);
    expect(await codeOf(console.command('list'))).toBe('cancelled');
  });

  test('something else that listens there is said to speak no RCON', async () => {
    const other = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    expect(await codeOf(openRcon({ host: '127.0.0.1', port, timeoutMs: 20_000 }, password, systemClock))).toBe('unexpected');
    other.close();
  });
});

describe('Minecraft', () => {
  const game = (clock = fakeClock({ auto: false }), warnPlayersSeconds = 0): Quiesce =>
    minecraftQuiesce({ kind: 'minecraft', rcon: rcon(), warnPlayersSeconds }, { clock, password });

  test('saving is off and the world on disk before the folder is read, and saving goes on behind it', async () => {
    const quiesce = game();
    await quiesce.pause(sure);
    expect(server.saving).toBe(false);
    expect(server.done).toEqual(['save-off', 'save-all flush']);
    expect(server.connections()).toBeLessThanOrEqual(1);
    await quiesce.resume();
    expect(server.saving).toBe(true);
    await quiesce.resume();
    expect(server.saving).toBe(true);
  });

  test('one whose saving was off already is taken as it is', async () => {
    server.saving = false;
    await game().pause(sure);
    expect(server.done).toEqual(['save-off', 'save-all flush']);
  });

  test('a late reply is waited for: nothing is read before the world is saved', async () => {
    const saved = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    server.mishap = (command) => {
      if (command !== 'save-all flush') return undefined;
      asked.resolve();
      return saved.promise;
    };
    let paused = false;
    const pausing = game()
      .pause(sure)
      .then(() => (paused = true));
    await asked.promise;
    expect(paused).toBe(false);
    saved.resolve();
    await pausing;
  });

  test.each([
    ['save-off', 'Unknown or incomplete command, see below for error'],
    ['save-all flush', 'Saving failed: No space left on device'],
  ])('a server that does not do %s is a fault that quotes it', async (command, reply) => {
    server.reply = (asked) => (asked === command ? reply : undefined);
    await expect(game().pause(sure)).rejects.toThrow(reply);
  });

  test('a secret in what it answers is hidden, also where the quotation ends within it', async () => {
    server.reply = () => `${'x'.repeat(190)} ${password} and more`;
    const redact = (text: string): string => text.replaceAll(password, '[hidden]');
    const quiesce = minecraftQuiesce({ kind: 'minecraft', rcon: rcon(), warnPlayersSeconds: 0 }, { clock: fakeClock(), password, redact });
    const message = await quiesce.pause(sure).catch((error: unknown) => String(error));
    expect(message).toContain('xxx [hidden]');
    expect(message).not.toContain('correct');
  });

  test('the replies of 1.12 and older count as well', async () => {
    const old: Readonly<Record<string, string>> = {
      'save-off': 'Turned off world auto-saving',
      'save-all flush': 'Saving...Saved the world',
      'save-on': 'Turned on world auto-saving',
    };
    server.reply = (command) => old[command];
    const quiesce = game();
    await quiesce.pause(sure);
    await quiesce.resume();
    expect(server.done).toEqual(['save-off', 'save-all flush', 'save-on']);
  });

  test('players are warned and given their time', async () => {
    const clock = fakeClock();
    const pausing = game(clock, 30).pause(sure);
    // Time-outs sleep as well, and end with their reply; what is left is the players' time.
    while (!clock.sleepers().includes(clock.now() + 30_000)) await new Promise((go) => setImmediate(go));
    expect(server.done).toEqual(['say A backup begins in 30 seconds.']);
    await clock.advance(30_000);
    await pausing;
    expect(server.done.at(-1)).toBe('save-all flush');
  });

  test('saving goes on although the line breaks twice on the way', async () => {
    server.saving = false;
    let left = 2;
    server.mishap = () => (left-- > 0 ? 'cut' : undefined);
    const clock = fakeClock();
    const resuming = game(clock).resume();
    for (const pauseMs of [1_000, 2_000]) {
      while (!clock.sleepers().includes(clock.now() + pauseMs)) await new Promise((go) => setImmediate(go));
      await clock.advance(pauseMs);
    }
    await resuming;
    expect(server.saving).toBe(true);
    expect(server.done).toEqual(['save-on']);
  });

  test('players are counted as each version says it', async () => {
    for (const [reply, count] of [
      ['There are 3 of a max of 20 players online: a, b, c', 3],
      ['There are 0/20 players online:', 0],
      ['something else', 0],
    ] as const) {
      server.reply = () => reply;
      expect(await game().players?.(sure)).toBe(count);
    }
  });

  test('a stop settles once the console is gone; a game that does not end is told', async () => {
    server.reply = (command) => {
      if (command === 'stop') setImmediate(() => void server.close());
      return 'Stopping the server';
    };
    expect(await game().stop?.(sure)).toBe(true);
    expect(server.done).toEqual(['stop']);
    // It is off already.
    expect(await game().stop?.(sure)).toBe(false);

    server = await startRconServer('another password');
    await expect(game().stop?.(sure)).rejects.toMatchObject({ code: 'unauthenticated', context: { where: expect.anything() as string } });
    await expect(game().stop?.(sure)).rejects.not.toHaveProperty('context.told');
    await server.close();

    server = await startRconServer(password);
    const clock = fakeClock();
    const fault = game(clock)
      .stop?.(sure)
      .catch((error: unknown) => error);
    let ended = false;
    void fault?.then(() => (ended = true));
    while (!ended) {
      await new Promise((go) => setImmediate(go));
      if (clock.sleepers().includes(clock.now() + 1_000)) await clock.advance(1_000);
    }
    expect(await fault).toMatchObject({ code: 'timeout', context: { told: 'stop' } });
  });

  test('a game that is not running needs no save-on; one that refuses the password is told at once', async () => {
    const quiesce = game();
    await server.close();
    await quiesce.resume();
    server = await startRconServer('another password', server.port);
    expect(await codeOf(quiesce.resume())).toBe('unauthenticated');
  });
});

test('any other game: its commands in their order, each with the reply that it must give', async () => {
  server.reply = (command) => (command === 'world save' ? 'World saved.' : 'ok');
  const settings = {
    kind: 'rcon' as const,
    rcon: rcon(),
    pause: [
      { command: 'world lock', waitFor: '' },
      { command: 'world save', waitFor: 'saved' },
    ],
    resume: [{ command: 'world unlock', waitFor: 'ok' }],
  };
  const quiesce = rconQuiesce(settings, { clock: fakeClock(), password });
  await quiesce.pause(sure);
  await quiesce.resume();
  expect(server.done).toEqual(['world lock', 'world save', 'world unlock']);
  server.reply = () => 'disk full';
  await expect(quiesce.pause(sure)).rejects.toThrow('disk full');
});
