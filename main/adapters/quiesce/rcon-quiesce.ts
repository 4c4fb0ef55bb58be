import { asFault, Fault } from '../../contract/faults.ts';
import type { QuiesceSettings } from '../../contract/server-settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Quiesce } from '../../engine/service/ports.ts';
import { openRcon, type Rcon, type RconPlace } from './rcon.ts';

type RconSettings = Extract<QuiesceSettings, { kind: 'rcon' }>;
type MinecraftSettings = Extract<QuiesceSettings, { kind: 'minecraft' }>;

export interface RconPasswords {
  readonly password: string;
  /** The one that the console had when it was brought to rest, where that is another: the first with which it is told to go on. */
  readonly former?: string;
}

export interface RconAccess extends RconPasswords {
  readonly clock: Clock;
  /** Hides secrets in what the console answered. */
  readonly redact?: (text: string) => string;
}

/** Pauses between the tries to let a server go on: nothing may leave it with its saving off. */
const resumePausesMs = [1_000, 2_000, 5_000, 10_000];

/** Any console: the commands of the settings, each with what its reply must contain. */
export function rconQuiesce({ rcon, pause, resume }: RconSettings, access: RconAccess): Quiesce {
  const place = placeOf(rcon);
  const send = async (commands: RconSettings['pause'], by: RconAccess, signal?: AbortSignal): Promise<void> =>
    withRcon(place, by, signal, async (console) => {
      for (const { command, waitFor } of commands) await expectReply(console, access, command, (reply) => reply.includes(waitFor));
    });
  return {
    pause: (signal) => send(pause, access, signal),
    // A server that is not there has nothing to be told.
    resume: () => persistently(access.clock, () => unlessOff(withEither(access, (by) => send(resume, by)))),
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
        await expectReply(console, access, 'save-off', (reply) =>
          /saving is (now|already) (disabled|turned off)|turned off world auto/i.test(reply),
        );
        await expectReply(console, access, 'save-all flush', (reply) => /saved the (game|world)/i.test(reply));
      }),
    resume: () =>
      persistently(clock, () =>
        unlessOff(
          withEither(access, (by) =>
            withRcon(place, by, undefined, (console) =>
              expectReply(console, by, 'save-on', (reply) =>
                /saving is (now|already) (enabled|turned on)|turned on world auto/i.test(reply),
              ),
            ),
          ),
        ),
      ),
    stop: async (signal) => {
      let isTold = false;
      try {
        await withRcon(place, access, signal, async (console) => {
          isTold = true;
          await console.command('stop');
        });
      } catch (error) {
        if (!isTold && isOff(error)) return false;
        // It may be gone before it has answered.
        if (!isTold || asFault(error, 'stop').persistence !== 'temporary') throw isTold ? told(error) : error;
      }
      await untilOff(place, access, signal).catch((error: unknown) => {
        throw told(error);
      });
      return true;
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

/** Whoever is told of it must not believe that the game runs on. */
function told(error: unknown): Fault {
  const { code, message, operation, persistence, context } = asFault(error, 'stop');
  return new Fault(code, message, { operation, persistence, context: { ...context, told: 'stop' }, cause: error });
}

async function untilOff(place: RconPlace, access: RconAccess, signal: AbortSignal): Promise<void> {
  const { clock } = access;
  // Counted, as a clock may be set back meanwhile.
  for (let waitedMs = 0; waitedMs < stopPatienceMs; waitedMs += 1_000, await clock.sleep(1_000, signal)) {
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

/** A game that was started anew since may have the new password already. */
async function withEither(access: RconAccess, work: (by: RconAccess) => Promise<void>): Promise<void> {
  const { former, password } = access;
  if (former === undefined || former === password) return await work(access);
  try {
    await work({ ...access, password: former });
  } catch (error) {
    if (asFault(error, 'resume').code !== 'unauthenticated') throw error;
    await work(access);
  }
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

async function expectReply(
  console: Rcon,
  { redact = (text) => text }: RconAccess,
  command: string,
  accepts: (reply: string) => boolean,
): Promise<void> {
  const reply = await console.command(command);
  if (accepts(reply)) return;
  // Redacted before it is cut: of a secret that the cut goes through nobody would know the rest.
  throw new Fault('unexpected', `the server answered “${command}” with “${redact(reply).slice(0, 200).trim()}”`, {
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
