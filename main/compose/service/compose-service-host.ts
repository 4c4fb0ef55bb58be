import { createHash } from 'node:crypto';
import { openQuiesce } from '../../adapters/quiesce/open-quiesce.ts';
import type { RconPasswords } from '../../adapters/quiesce/rcon-quiesce.ts';
import { systemClock } from '../../adapters/system/clock.ts';
import { acquireLock } from '../../adapters/system/lock.ts';
import { systemRandom } from '../../adapters/system/random.ts';
import { runCommand } from '../../adapters/system/run-command.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import { formerPasswordOf, rconPasswordOf } from '../../contract/secret-names.ts';
import type { Engine, OpenDestination } from '../../engine/engine.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { destinationCalled } from '../../engine/service/known-destination.ts';
import type { JobNote, ServiceHost, StateStore } from '../../engine/service/ports.ts';
import type { LiveSettings } from '../../engine/service/settings-ports.ts';
import type { Host } from '../host.ts';
import { realPlace } from '../real-place.ts';
import type { ServicePlaces } from './places.ts';
import type { Scratch } from './scratch.ts';

export interface ServiceHostParts {
  readonly cli: Host;
  readonly engine: Engine;
  readonly store: StateStore;
  readonly settings: LiveSettings;
  readonly keychain: () => Promise<Keychain>;
  readonly places: ServicePlaces;
  readonly scratch: Scratch;
  readonly open: (name: string) => Promise<OpenDestination>;
  readonly redact: (text: string) => string;
  readonly onJobNote: (note: JobNote) => void;
  readonly onProblem: (message: string, error: unknown) => void;
  readonly held: () => string | null;
  readonly lookHeld: () => Promise<string | null>;
  readonly keychainOpenedAt: () => number | null;
  readonly scheduleClock: Clock;
  readonly knowSecrets: () => Promise<void>;
}

export interface ComposedServiceHost extends ServiceHost {
  /** How many people are on a server; null where it cannot be asked. */
  players(slug: string, signal: AbortSignal): Promise<number | null>;
}

/** What the service needs of this computer. */
export function composeServiceHost(parts: ServiceHostParts): ComposedServiceHost {
  const { cli, engine, store, settings, keychain, places, scratch, open, redact, onJobNote, onProblem, held } = parts;
  const { keychainOpenedAt, knowSecrets, scheduleClock, lookHeld } = parts;
  const clock = systemClock;
  const quiesceOf: ServiceHost['quiesce'] = (server) => {
    const passwords = async (): Promise<RconPasswords> => {
      const opened = await keychain();
      const name = server.former === true ? formerPasswordOf(server) : null;
      const former = name === null ? null : await opened.get(name);
      return { password: (await opened.get(rconPasswordOf(server.slug))) ?? '', ...(former === null ? {} : { former }) };
    };
    return openQuiesce(server.quiesce, clock, passwords, redact);
  };
  return {
    ...{ clock, scheduleClock, engine, store, redact, onJobNote, onProblem, held, lookHeld, keychainOpenedAt, knowSecrets },
    random: systemRandom,
    servers: () => settings.current().servers,
    openDestination: open,
    signedInAt: (destination) => destinationCalled(settings.current(), destination)?.signedInAt ?? null,
    quiesce: quiesceOf,
    holdRest: async (folder) => {
      const id = createHash('sha256')
        .update(await realPlace(folder))
        .digest('hex')
        .slice(0, 32);
      return await acquireLock(places.stateDir, `rest-${id}`).catch((error: unknown) => {
        throw restHeld(folder, error);
      });
    },
    realPlace,
    recoverFolder: async (folder) => await (await cli.openTargets()).restore.recover(folder),
    async forgetSecrets(slug) {
      if (settings.current().servers.some((server) => server.slug === slug)) return;
      try {
        await (await keychain()).set({ [rconPasswordOf(slug)]: null });
      } catch (error) {
        onProblem(`the password of ${slug} could not be forgotten`, error);
      }
    },
    async forgetFormer(resting) {
      const name = formerPasswordOf(resting);
      if (name === null) return;
      try {
        await (await keychain()).set({ [name]: null });
      } catch (error) {
        onProblem(`the former password of ${resting.name} could not be forgotten`, error);
      }
    },
    runHook: ({ argv, timeoutSeconds }, environment, signal) =>
      runCommand(argv, { clock, timeoutMs: timeoutSeconds * 1000, environment, signal, redact }),
    scratch: () => scratch.make(),
    async players(slug, signal) {
      const server = settings.current().servers.find((one) => one.slug === slug);
      if (server === undefined) return null;
      const { players } = await quiesceOf(server);
      return players === undefined ? null : await players(signal);
    },
  };
}

function restHeld(folder: string, error: unknown): Fault {
  const fault = asFault(error, 'bring to rest');
  if (fault.code !== 'locked') return fault;
  return new Fault('locked', `the server in ${folder} is at rest for another run, in process ${String(fault.context['pid'])}`, {
    operation: 'bring to rest',
    context: { ...fault.context, next: 'Try again when that has ended. One configuration for a server is enough.' },
    cause: fault,
  });
}
