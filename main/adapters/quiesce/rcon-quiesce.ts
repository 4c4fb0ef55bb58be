import { asFault, Fault } from '../../contract/faults.ts';
import type { QuiesceSettings } from '../../contract/server-settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Quiesce } from '../../engine/service/ports.ts';
import { openRcon, type Rcon, type RconPlace } from './rcon.ts';

type RconSettings = Extract<QuiesceSettings, { kind: 'rcon' }>;
type MinecraftSettings = Extract<QuiesceSettings, { kind: 'minecraft' }>;

export interface RconAccess {
  readonly clock: Clock;
  readonly password: string;
}

/** Pauses between the tries to let a server go on: nothing may leave it with its saving off. */
const resumePausesMs = [1_000, 2_000, 5_000, 10_000];

/** Any console: the commands of the settings, each with what its reply must contain. */
export function rconQuiesce({ rcon, pause, resume }: RconSettings, access: RconAccess): Quiesce {
  const place = placeOf(rcon);
  const send = async (commands: RconSettings['pause'], signal?: AbortSignal): Promise<void> =>
    withRcon(place, access, signal, async (console) => {
      for (const { command, waitFor } of commands) await expectReply(console, command, (reply) => reply.includes(waitFor));
    });
  return {
    pause: (signal) => send(pause, signal),
    // A server that is not there has nothing to be told.
    resume: () => persistently(access.clock, () => unlessOff(send(resume))),
  };
}

/**
 * Minecraft, Java edition. The replies come from the server's main thread once it has done the work, so that the reply to `save-all flush` means
 * that the world is on disk. Saving is switched on at every start of the game: a server that is not running needs no `save-on`.
 */
export function minecraftQuiesce({ rcon, warnPlayersSeconds }: MinecraftSettings, access: RconAccess): Quiesce {
  const place = placeOf(rcon);
  const { clock } = access;
  return {
    pause: (signal) =>
      withRcon(place, access, signal, async (console) => {
        if (warnPlayersSeconds > 0) {
          await console.command(`say A backup begins in ${warnPlayersSeconds} seconds.`);
          await clock.sleep(warnPlayersSeconds * 1000, signal);
        }
        await expectReply(console, 'save-off', (reply) =>
          /saving is (now|already) (disabled|turned off)|turned off world auto/i.test(reply),
        );
        await expectReply(console, 'save-all flush', (reply) => /saved the (game|world)/i.test(reply));
      }),
    resume: () =>
      persistently(clock, () =>
        unlessOff(
          withRcon(place, access, undefined, (console) =>
            expectReply(console, 'save-on', (reply) => /saving is (now|already) (enabled|turned on)|turned on world auto/i.test(reply)),
          ),
        ),
      ),
    stop: async (signal) => {
      try {
        await withRcon(place, access, signal, (console) => console.command('stop').then(() => undefined));
      } catch (error) {
        // It may be gone before it has answered.
        if (asFault(error, 'stop').persistence !== 'temporary') throw error;
      }
      await untilOff(place, access, signal);
    },
    players: (signal) =>
      withRcon(place, access, signal, async (console) => {
        const [, online] = /there are (\d+)/i.exec(await console.command('list')) ?? [];
        return Number(online ?? 0);
      }),
  };
}

/** A world is saved before the game ends. */
const stopPatienceMs = 120_000;

async function untilOff(place: RconPlace, access: RconAccess, signal: AbortSignal): Promise<void> {
  const { clock } = access;
  for (const until = clock.now() + stopPatienceMs; clock.now() < until; await clock.sleep(1_000, signal)) {
    try {
      await withRcon(place, access, signal, () => Promise.resolve());
    } catch (error) {
      if (isOff(error)) return;
    }
  }
  throw new Fault('timeout', `the server did not end within ${stopPatienceMs / 1000} seconds of being told to stop`, {
    operation: 'stop server',
    persistence: 'permanent',
    context: { next: 'Stop it yourself, and see that nothing starts it again at once, then try again.' },
  });
}

async function unlessOff(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isOff(error)) throw error;
  }
}

/** Nobody listens where the console should be. */
function isOff(error: unknown): boolean {
  return error instanceof Fault && error.context.reason === 'ECONNREFUSED';
}

function placeOf({ host, port, timeoutSeconds }: RconSettings['rcon']): RconPlace {
  return { host, port, timeoutMs: timeoutSeconds * 1000 };
}

/** A connection for each sequence, as a backup may take longer than any server keeps an idle one. */
async function withRcon<T>(
  place: RconPlace,
  { clock, password }: RconAccess,
  signal: AbortSignal | undefined,
  work: (console: Rcon) => Promise<T>,
): Promise<T> {
  const console = await openRcon(place, password, clock, signal);
  try {
    return await work(console);
  } finally {
    console.close();
  }
}

async function expectReply(console: Rcon, command: string, accepts: (reply: string) => boolean): Promise<void> {
  const reply = await console.command(command);
  if (accepts(reply)) return;
  throw new Fault('unexpected', `the server answered “${command}” with “${reply.slice(0, 200).trim()}”`, {
    operation: 'rcon',
    context: { command, next: 'Type the command into the server’s own console to see whether it knows it.' },
  });
}

/** Until it works or the pauses are spent; a refused password does not get better. */
async function persistently(clock: Clock, work: () => Promise<void>): Promise<void> {
  for (const pauseMs of [...resumePausesMs, undefined]) {
    try {
      await work();
      return;
    } catch (error) {
      if (pauseMs === undefined || asFault(error, 'resume').persistence !== 'temporary') throw error;
      await clock.sleep(pauseMs);
    }
  }
}
