import { afterEach, expect, test } from 'vitest';
import { composeServiceHost, type ServiceHostParts } from '../../main/compose/service/compose-service-host.ts';
import { settingsSchema } from '../../main/contract/settings.ts';
import { runBandwidth } from '../../main/engine/service/bandwidth.ts';
import type { Bandwidth } from '../../main/engine/storage/layers/bandwidth.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRconServer, type RconServer } from '../support/rcon-server.ts';
import { server } from '../support/service-world.ts';

let game: RconServer | undefined;
afterEach(() => game?.close());

test('who plays on a server is asked of its own console, with the password in the keychain, and slows what is transferred', async () => {
  const started = await startRconServer('correct horse');
  game = started;
  let players = 3;
  started.reply = (command) => (command === 'list' ? `There are ${players} of a max of 20 players online: a, b, c` : undefined);
  const quiesce = {
    kind: 'minecraft',
    rcon: { host: '127.0.0.1', port: started.port, timeoutSeconds: 20 },
    warnPlayersSeconds: 0,
  } as const;
  const all = settingsSchema.parse({
    ...{ version: 1, bandwidth: { limit: 'off', whilePlayers: '512K' } },
    servers: [server({ folder: '/srv', quiesce }), server({ folder: '/other', name: 'Files', slug: 'files' })],
  });
  const settings = { current: () => all, changed: () => new AbortController().signal };
  const asked: string[] = [];
  const keychain = { get: (name: string) => Promise.resolve(asked.push(name) > 0 ? 'correct horse' : null) };
  const host = composeServiceHost({
    settings,
    redact: (text: string) => text,
    keychain: () => Promise.resolve(keychain),
  } as unknown as ServiceHostParts);
  const { signal } = new AbortController();
  expect([await host.players('survival', signal), await host.players('files', signal), await host.players('gone', signal)]).toEqual([
    3,
    null,
    null,
  ]);
  expect([started.done, asked]).toEqual([['list'], ['server/survival/rconPassword']]);

  const clock = fakeClock();
  const limits: unknown[] = [];
  const set = Promise.withResolvers<void>();
  const free = Promise.withResolvers<void>();
  const limiter = {
    setLimits(rates: unknown) {
      limits.push(rates);
      if (limits.length === 1) set.resolve();
      if (limits.length === 2) free.resolve();
    },
  } as unknown as Bandwidth;
  const stop = new AbortController();
  const running = runBandwidth({
    ...{ clock, limiter, settings, signal: stop.signal, zone: 'UTC', running: () => ['survival'] },
    players: (slug, own) => host.players(slug, own),
  });
  const asleep = async (): Promise<void> => {
    while (!clock.sleepers().includes(clock.now() + 20_000)) await new Promise((go) => setImmediate(go));
  };
  await asleep();
  expect(limits.at(-1)).toEqual({ up: 512 * 1024, down: 512 * 1024 });
  players = 0;
  await clock.advance(20_000);
  await asleep();
  expect(limits.at(-1)).toEqual({});
  stop.abort();
  await running;
});

test('a question after players that never ends holds up no timetable', async () => {
  const clock = fakeClock({ now: Date.UTC(2026, 10, 23, 22, 0) });
  const all = settingsSchema.parse({ version: 1, bandwidth: { limit: '00:00,1M 23:00,2M', whilePlayers: '512K' } });
  const limits: unknown[] = [];
  const stop = new AbortController();
  const running = runBandwidth({
    ...{ clock, signal: stop.signal, zone: 'UTC', running: () => ['survival'] },
    limiter: { setLimits: (rates: unknown) => limits.push(rates) } as unknown as Bandwidth,
    settings: { current: () => all, changed: () => new AbortController().signal },
    players: () => new Promise(() => undefined),
  });
  const mib = 2 ** 20;
  await clock.advance(61 * 60_000);
  expect(limits).toEqual([
    { up: mib, down: mib },
    { up: 2 * mib, down: 2 * mib },
  ]);
  stop.abort();
  await clock.advance(60_000);
  await running;
});
