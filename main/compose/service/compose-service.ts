import { hostname } from 'node:os';
import { join } from 'node:path';
import { liveSettings, type WatchedSettings } from '../../adapters/config/live-settings.ts';
import { registering } from '../../adapters/keychain/registering.ts';
import { logFile, type Log } from '../../adapters/logs/log-file.ts';
import { redactor, type Redactor } from '../../adapters/logs/redactor.ts';
import { passwordJudge } from '../../adapters/password-judge/password-judge.ts';
import { openStateFile } from '../../adapters/state/state-file.ts';
import { releaseAllMemory } from '../../adapters/system/release-memory.ts';
import { systemClock } from '../../adapters/system/clock.ts';
import { systemRandom } from '../../adapters/system/random.ts';
import { callOn } from '../../contract/answer.ts';
import type { Call, CallHandlers } from '../../contract/calls.ts';
import type { ServiceEvent } from '../../contract/events.ts';
import { asFault, type Fault } from '../../contract/faults.ts';
import { runBandwidth } from '../../engine/service/bandwidth.ts';
import { destinationCalls } from '../../engine/service/destination-calls.ts';
import { forgetProofs } from '../../engine/service/facts.ts';
import { allSecrets } from '../../engine/service/kept-secrets.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { keychainCalls } from '../../engine/service/keychain-calls.ts';
import { longReadsInTurn } from '../../engine/service/long-reads.ts';
import { noticeCalls } from '../../engine/service/notice-calls.ts';
import { placeCalls } from '../../engine/service/place-calls.ts';
import { serverCalls } from '../../engine/service/server-calls.ts';
import { createService } from '../../engine/service/service.ts';
import { signInCalls } from '../../engine/service/sign-in-calls.ts';
import { createSignIns } from '../../engine/service/sign-ins.ts';
import { letGoOnBefore } from '../../engine/service/at-rest.ts';
import { bandwidth } from '../../engine/storage/layers/bandwidth.ts';
import type { Host } from '../host.ts';
import { lazyEngine } from '../lazy-engine.ts';
import { composeNotices } from './compose-notices.ts';
import { composeServiceHost } from './compose-service-host.ts';
import { composeSettingsHost } from './compose-settings-host.ts';
import type { Connection } from './connect.ts';
import { destinationOpener } from './destination-opener.ts';
import { featuresOf, hostCalls, type HostFeatures } from './host-features.ts';
import { jobLog } from './log-job.ts';
import { lookAfterServers } from './look-after.ts';
import { onFreshSettings } from './on-fresh-settings.ts';
import { openableKeychain } from './openable-keychain.ts';
import type { ServicePlaces } from './places.ts';
import { powerWatch } from './power-watch.ts';
import { supportReport } from './report.ts';
import { scratchIn } from './scratch.ts';
import { setupCalls } from './setup-calls.ts';
import { targetCalls } from './target-calls.ts';
import { wakingClock } from './waking-clock.ts';

export interface ComposedService {
  readonly handlers: CallHandlers;
  /** The same for who is in this process. */
  readonly call: Call;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly settings: WatchedSettings;
  readonly subscribe: (listener: (event: ServiceEvent) => void) => () => void;
  /** The computer has slept, or is on another power supply: what is due is looked for at once. */
  lookNow(): void;
  /** Runs the schedule until the signal; settles when all jobs have ended and everything is on disk. */
  run(signal: AbortSignal): Promise<void>;
  /** Without a schedule, before anything else: takes up what a process that is gone has left. */
  takeUp(): Promise<void>;
  /** Without a schedule: waits for the jobs that were begun, sends what is to be told, writes what is known. Settles to why that is not on disk. */
  finish(): Promise<Fault | null>;
}

const restAfterMs = 2_000;
const patienceMs = 10_000;

/**
 * The service on this computer. `stop` is what the call service.stop does; null for a command that works by itself. `features`: what the desktop
 * around it can do; a headless one has none.
 */
export async function composeService(
  cli: Host,
  places: ServicePlaces,
  stop: (() => void) | null,
  features: HostFeatures = {},
): Promise<ComposedService> {
  const clock = systemClock;
  const hide = redactor();
  const path = join(places.folder, 'log', 'holdfast.log');
  const log = logFile({
    ...{ path, clock, redactor: hide },
    // Where the log cannot say it the journal does. A command says what it could not keep by itself.
    ...(stop === null ? {} : { onProblem: (error: unknown) => process.emitWarning(`${path} cannot be written: ${String(error)}`) }),
  });
  const jobs = jobLog({ log, path, redact: hide.text, told: (job) => emit({ event: 'job-log', data: { job } }) });
  const problem = (message: string, error: unknown): void =>
    log.write('warn', 'state', { message, cause: asFault(error, 'state').message });
  const store = await openStateFile({
    path: join(places.folder, 'state.json'),
    restingPath: places.atRest,
    clock,
    onProblem: problem,
  });
  const settings = await liveSettings({
    file: await cli.openSettings(),
    clock,
    onProblem: problem,
    ...(stop === null ? {} : { lastUsed: join(places.folder, 'settings.json') }),
  });
  const keychain = async (): Promise<Keychain> =>
    registering(await openableKeychain(cli, settings.current().keychain ?? 'sealed-file', stop !== null), (secret) =>
      hide.register(secret),
    );
  const engine = lazyEngine(() => cli.openEngine());
  const limiter = bandwidth({ clock });
  const destinations = destinationOpener({ cli, settings, keychain, limiter });
  const power = powerWatch({
    ...{ clock, settings, onChange: () => service.settingsChanged(), onProblem: problem },
    ...(cli.power === undefined ? {} : { state: cli.power }),
  });
  const scheduleClock = wakingClock(clock);
  const scratch = scratchIn(cli.env, places);
  let openedAt: number | null = null;
  const host = composeServiceHost({
    held: power.held,
    lookHeld: power.look,
    keychainOpenedAt: () => openedAt,
    scheduleClock,
    ...{ cli, engine, store, settings, keychain, places, scratch },
    open: destinations.open,
    redact: hide.text,
    onJobNote: jobs.note,
    knowSecrets: async () => {
      try {
        // Each one that is read is registered.
        const opened = await keychain();
        await opened.given?.();
        await allSecrets(opened);
      } catch (error) {
        // The job says it, when it needs one of them.
        problem('the secrets could not be read', error);
      }
    },
    onProblem: problem,
  });
  const service = createService(host);
  const listeners = new Set<(event: ServiceEvent) => void>();
  const emit = (event: ServiceEvent): void => {
    for (const listener of listeners) listener(event);
  };

  const settingsHost = composeSettingsHost({ ...{ cli, settings, keychain, destinations, limiter, features }, redactor: hide });
  const signIns = createSignIns({
    ...{ clock, random: systemRandom, accountOf: settingsHost.accountOf },
    onEnd: (signIn) => emit({ event: 'sign-in', data: signIn }),
    register: (secret) => hide.register(secret),
  });
  const judge = passwordJudge(clock);

  const notifier = composeNotices({ ...{ clock, store, log, settings, keychain, emit }, deliver: settingsHost.deliver });
  service.subscribe((event) => {
    notifier.event(event);
    if (event.event === 'job') jobs.job(event.data);
    if (event.event === 'job' && event.data.endedAt !== null && service.running().length === 0) void rest(releaseAllMemory);
    emit(event);
  });

  /** A moment after the last job has ended, when what it held is let go. */
  async function rest(release: () => unknown): Promise<void> {
    try {
      await clock.sleep(restAfterMs);
      if (service.running().length === 0) await release();
    } catch (error) {
      problem('memory could not be given back', error);
    }
  }

  function settingsChanged(): void {
    destinations.forget();
    service.settingsChanged();
    emit({ event: 'destinations-changed', data: {} });
  }

  /** What waited for it does not wait for the next look of the schedule. */
  function keychainOpened(): void {
    openedAt = clock.now();
    settingsChanged();
    scheduleClock.wake();
  }

  /** As who is in this process sees it. */
  const own = (): Pick<Connection, 'call' | 'isService'> => ({ call: callOn(handlers, cli.signal), isService: stop !== null });

  const startedAt = clock.now();
  const answered: CallHandlers = longReadsInTurn({
    ...service.calls,
    ...serverCalls(settingsHost, service, store),
    ...destinationCalls({
      ...{ host: settingsHost, engine, signIns, changed: settingsChanged },
      moved: (name) => forgetProofs(store, settings.current().servers, name),
      checking: (data) => emit({ event: 'destination-check', data }),
    }),
    ...signInCalls(settingsHost, signIns, settingsChanged),
    ...placeCalls(settingsHost, engine, destinations.open, settingsChanged),
    ...setupCalls({
      settings,
      judge,
      report: () => supportReport({ host: cli, places, redactor: hide, service: own(), problem: settings.problem() }),
    }),
    ...targetCalls(cli),
    'job.log': jobs.call,
    ...hostCalls(features),
    ...keychainCalls(settingsHost, settingsChanged, keychainOpened, (names) =>
      letGoOnBefore(names, { store, keychain, letGoOn: service.letGoOn }),
    ),
    ...noticeCalls(settingsHost, clock, notifier),
    'service.info': async () => ({
      version: cli.version,
      startedAt,
      keychain: await (await keychain()).describe(),
      settingsProblem: settings.problem(),
      stateProblem: store.problem(),
      host: hostname(),
      zone: cli.zone,
      features: featuresOf(features),
    }),
    'service.stop': () => {
      stop?.();
      return Promise.resolve({});
    },
  });
  const handlers = onFreshSettings(settings, answered);

  return {
    handlers,
    call: own().call,
    ...{ log, settings, redactor: hide },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    lookNow() {
      // First, so that what waited for the mains does not wait for the look after this one.
      void power.look().then(() => scheduleClock.wake());
    },
    takeUp: () => service.takeUp(),
    async run(signal) {
      const watching = settings.watch(signal, settingsChanged, (fault) => notifier.settingsProblem(fault));
      const others = [
        watching,
        lookAfterServers({ clock, store, service, notifier, onProblem: problem }, signal),
        power.watch(signal),
        runBandwidth({
          clock,
          signal,
          limiter,
          settings,
          zone: cli.zone,
          running: service.running,
          players: (slug, own) => host.players(slug, own),
        }),
      ];
      void rest(releaseAllMemory);
      // Nothing waits for it: there may be much, or a drive that does not answer.
      scratch.sweep(signal).catch((error: unknown) => problem('what a test restore left could not be removed', error));
      await service.run(signal);
      await Promise.all([...others, signIns.close(), judge.close()]);
      await store.flush();
    },
    async finish() {
      // A receiver that does not answer holds up nobody who waits at a terminal.
      const enough = new AbortController();
      await Promise.race([notifier.idle(), clock.sleep(patienceMs, enough.signal).catch(() => undefined)]);
      enough.abort();
      await Promise.all([signIns.close(), judge.close()]);
      return await store.flush();
    },
  };
}
