import { afterEach, expect, test } from 'vitest';
import { composeServiceHost, type ServiceHostParts } from '../../main/compose/service/compose-service-host.ts';
import { settingsSchema } from '../../main/contract/settings.ts';
import { runBandwidth } from '../../main/engine/service/bandwidth.ts';
import type { Bandwidth } from '../../main/engine/storage/layers/bandwidth.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRconServer, type RconServer } from '../support/rcon-server.ts';
import { server } from '../support/service-world.ts';

let game: RconServer;
afterEach(() => game.close());

test('who plays on a server is asked of its own console, with the password in the keychain, and slows what is transferred', async () => {
  game = await startRconServer('correct horse');
  let players = 3;
  game.reply = (command) => (command === 'list' ? `There are ${players} of a max of 20 players online: a, b, c` : undefined);
  const quiesce = { kind: 'minecraft', rcon: { host: '127.0.0.1', port: game.port, timeoutSeconds: 20 }, warnPlayersSeconds: 0 } as const;
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
  expect([game.done, asked]).toEqual([['list'], ['server/survival/rconPassword']]);

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
