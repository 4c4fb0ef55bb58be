import { asFault } from '../../contract/faults.ts';
import type { HookRecord, Warning } from '../../contract/reports.ts';
import { formerPasswordOf, rconPasswordOf } from '../../contract/secret-names.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import { restUntil, throwIfCancelled } from '../storage/cancel.ts';
import type { JobRun } from './job-queue.ts';
import type { Keychain } from './keychain.ts';
import type { Quiesce, Resting, ServiceHost, StateStore } from './ports.ts';

/** A server is not kept at rest for longer than this, however long its backup takes. */
const longestRestMs = 2 * 3_600_000;
/** How often one that could not be told to go on is told again. */
const againMs = 60_000;

/** What to do about one that could not be told to go on. */
export const restingStep =
  'It is tried again every minute; look whether the server runs and saves its world, and tell it yourself if it does not.';

/**
 * Sets, on disk, whether a server is at rest because of us: what a crash leaves so is known by it. With it stands how it was brought to rest:
 * settings that are changed or removed meanwhile would not let go on what stands still. Setting it fails where it cannot be put on disk; taking it
 * away does not, as telling a server to go on once more does no harm.
 */
export function markOf(host: ServiceHost, { slug, name, quiesce }: RestingServer): (resting: boolean) => Promise<void> {
  const { store } = host;
  const isThis = (other: Resting): boolean => other.slug === slug && JSON.stringify(other.quiesce) === JSON.stringify(quiesce);
  return async (resting) => {
    const all = store.resting();
    const others = all.filter((other) => !isThis(other));
    const former = all.find((other) => isThis(other) && other.former === true);
    const kept = former === undefined ? {} : { former: true as const };
    const failure = await store.setResting(resting ? [...others, { slug, name, quiesce, removed: false, ...kept }] : others);
    if (failure !== null && resting) {
      // Nobody would know of it after a crash: it is not brought to rest at all.
      await store.setResting(store.resting().filter((other) => !isThis(other)));
      throw failure;
    }
    if (!resting && former !== undefined) await host.forgetFormer?.(former);
    if (!resting && all.some((other) => isThis(other) && other.removed) && !isResting(store, slug)) await host.forgetSecrets?.(slug);
  };
}

type RestingServer = Pick<ServerSettings, 'slug' | 'name' | 'quiesce'>;

/** Whether something of this server has yet to be told to go on. */
export function isResting(store: StateStore, slug: string): boolean {
  return store.resting().some((one) => one.slug === slug);
}

export interface PasswordChange {
  readonly store: Pick<StateStore, 'resting' | 'setResting'>;
  readonly letGoOn: (slug: string) => Promise<void>;
  readonly keychain: () => Promise<Keychain>;
}

/**
 * Before these secrets change: the consoles that were told to hold still have the passwords that are there. Where one cannot be told to go on now, or a
 * backup is at it, its password is kept beside the new one until it has gone on.
 */
export async function letGoOnBefore(secrets: readonly string[], { store, letGoOn, keychain }: PasswordChange): Promise<void> {
  const slugs = new Set(store.resting().flatMap(({ slug }) => (secrets.includes(rconPasswordOf(slug)) ? [slug] : [])));
  for (const slug of slugs) {
    await letGoOn(slug);
    const opened = await keychain();
    /** With the names under which their passwords are to be kept. */
    const left = new Map<Resting, string>();
    for (const one of store.resting()) {
      const name = one.slug === slug ? formerPasswordOf(one) : null;
      // The word of it alone is no password: whoever wrote that may have come no further.
      if (name !== null && (one.former !== true || (await opened.get(name)) === null)) left.set(one, name);
    }
    const password = left.size === 0 ? null : await opened.get(rconPasswordOf(slug));
    if (password === null) continue;
    // First the word of it: as long as there is no other, the one in force is tried.
    const failure = await store.setResting(store.resting().map((one) => (left.has(one) ? { ...one, former: true } : one)));
    if (failure !== null) throw failure;
    await opened.set(Object.fromEntries([...left.values()].map((name) => [name, password])));
  }
}

/** Its secrets are needed once more, and then no longer. */
export async function forgetOnceGoneOn(store: StateStore, slug: string): Promise<void> {
  if (isResting(store, slug)) await store.setResting(store.resting().map((one) => (one.slug === slug ? { ...one, removed: true } : one)));
}

/** `work` while the server is at rest; it goes on afterwards whatever happens, and a mark outlives a crash in between. Fault
 * locked, and nothing said to it, where somebody else has it at rest. */
export async function atRest<T>(
  host: ServiceHost,
  server: ServerSettings,
  run: JobRun,
  warnings: Warning[],
  work: (rest: readonly HookRecord[]) => Promise<T>,
): Promise<T> {
  if (server.quiesce.kind === 'none') return await work([]);
  // Before anything is said to it: a word to go on would end the rest that somebody else's backup relies on.
  const held = await host.holdRest?.(server.folder);
  try {
    return await rested(host, server, run, warnings, work);
  } finally {
    await held?.release();
  }
}

async function rested<T>(
  host: ServiceHost,
  server: ServerSettings,
  run: JobRun,
  warnings: Warning[],
  work: (rest: readonly HookRecord[]) => Promise<T>,
): Promise<T> {
  const rest = (result: HookRecord['result']): readonly HookRecord[] => [{ when: 'at-rest', command: server.quiesce.kind, result }];
  const quiesce = await host.quiesce(server);
  // One that was stopped on purpose must not be started by us.
  if ((await quiesce.isRunning?.(run.signal)) === false) return await work(rest('not-running'));
  // The server may have been removed meanwhile, and its secrets with it.
  throwIfCancelled(run.signal, 'backup');
  const mark = markOf(host, server);
  await mark(true);
  const over = new AbortController();
  let going = null as Promise<boolean> | null;
  const goOn = (): void => void (going ??= untilGoneOn());
  /** Work that hangs may never end, and only then would others look after the server. False: it is over, and the server still at rest. */
  async function untilGoneOn(): Promise<boolean> {
    while (!over.signal.aborted) {
      if (await letGoOn(quiesce, server, run, warnings)) return true;
      await restUntil(host.clock, againMs, over.signal);
    }
    return false;
  }
  host.clock.sleep(longestRestMs, over.signal).then(
    () => {
      warnings.push({ code: 'quiesce', message: `the backup takes so long that ${server.name} goes on while the rest of it is read` });
      goOn();
    },
    () => undefined,
  );
  try {
    const result = await paused(quiesce, server, run, warnings);
    run.note('at rest', { how: server.quiesce.kind });
    // Nothing more is kept of what is read then: its players need not wait for what is cleared up, nor may the end of this process come first.
    run.signal.addEventListener('abort', goOn, { once: true });
    throwIfCancelled(run.signal, 'backup');
    return await work(rest(result));
  } finally {
    over.abort();
    run.signal.removeEventListener('abort', goOn);
    // The mark stays when nobody answers, so that it is tried again; the snapshot is none the worse for it.
    // One that went on already may have been stopped on purpose since.
    if ((await going) === true || (await letGoOn(quiesce, server, run, warnings))) {
      await mark(false);
      run.note('goes on');
    }
  }
}

/** A server that is not running is at rest already. */
async function paused(quiesce: Quiesce, server: ServerSettings, run: JobRun, warnings: Warning[]): Promise<HookRecord['result']> {
  try {
    await quiesce.pause(run.signal);
    return 'success';
  } catch (error) {
    const fault = asFault(error, 'quiesce');
    if (fault.context['reason'] !== 'ECONNREFUSED') throw fault;
    warnings.push({ code: 'quiesce', message: `${server.name} seems to be switched off (${fault.message}); it was backed up as it lies` });
    return 'not-running';
  }
}

async function letGoOn(quiesce: Quiesce, server: ServerSettings, run: JobRun, warnings: Warning[]): Promise<boolean> {
  const known = warnings.find(({ code }) => code === 'quiesce-resume');
  try {
    await quiesce.resume();
    // It stands still no longer, which is what the other warning tells people to look after.
    const late = { code: 'quiesce', message: `${server.name} went on only at a later try` } as const;
    if (known !== undefined) warnings.splice(warnings.indexOf(known), 1, late);
    return true;
  } catch (error) {
    const message = `${server.name} could not be told to go on: ${asFault(error, 'resume').message}`;
    if (known?.message === message) return false;
    if (known !== undefined) warnings.splice(warnings.indexOf(known), 1);
    warnings.push({ code: 'quiesce-resume', message });
    // A job that hangs tells its warnings to nobody.
    run.note('not told to go on', { message }, 'warn');
    return false;
  }
}
