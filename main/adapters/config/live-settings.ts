import { readFile, stat } from 'node:fs/promises';
import { asFault, Fault } from '../../contract/faults.ts';
import { settingsSchema, type Settings } from '../../contract/settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { LiveSettings } from '../../engine/service/settings-ports.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { SettingsFile } from './settings-file.ts';
import { restUntil } from '../../engine/storage/cancel.ts';

export interface WatchedSettings extends LiveSettings {
  /** Looks again and again for changes made by hand or by another process, until the signal. A problem there is from the start is told, too. */
  watch(signal: AbortSignal, onChange: () => void, onProblem: (fault: Fault) => void): Promise<void>;
}

interface Told {
  readonly onChange: () => void;
  readonly onProblem: (fault: Fault) => void;
}

/** Long enough to cost nothing, short enough for who waits for a change to count. */
const lookEveryMs = 3_000;

export interface LiveSettingsOptions {
  readonly file: SettingsFile;
  readonly clock: Clock;
  /** Where what was used last is kept, to begin with when the file cannot be used at the start. Without it that is a fault. */
  readonly lastUsed?: string;
  /** Told when what was used last could not be kept: the settings themselves hold all the same. */
  readonly onProblem?: (message: string, error: unknown) => void;
}

/** The settings file as a running service sees it: a broken one, or one that is gone, is told, and what held before holds on. */
export async function liveSettings({ file, clock, lastUsed, onProblem: notKept }: LiveSettingsOptions): Promise<WatchedSettings> {
  let stamp = await stampOf(file.path);
  let problem: Fault | null = null;
  let settings = await first();
  /** A change by hand came along with one by a call, so that what is read next is no news. */
  let merged = false;
  let change = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  /** Whoever watches; nobody does in a command that works by itself. */
  let told: Told = { onChange: () => undefined, onProblem: () => undefined };

  /** One after the other: what a look has read must not take the place of what a call has written meanwhile. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work);
    turn = Promise.allSettled([done]);
    return done;
  }

  function hold(now: Settings): void {
    settings = now;
    change.abort();
    change = new AbortController();
  }

  async function first(): Promise<Settings> {
    try {
      const read = await file.read();
      await keep(read);
      return read;
    } catch (error) {
      const known = lastUsed === undefined ? null : await readKept(lastUsed);
      if (known === null) throw error;
      problem = asFault(error, 'read the settings');
      return known;
    }
  }

  async function keep(read: Settings): Promise<void> {
    if (lastUsed === undefined) return;
    try {
      await replaceFile(lastUsed, JSON.stringify(read));
    } catch (error) {
      // It is a copy for a day on which the file itself is broken.
      notKept?.('the settings in use could not be kept beside the state', error);
    }
  }

  async function look(): Promise<void> {
    const now = await stampOf(file.path);
    if (now === stamp) return;
    const wasThere = stamp !== null;
    stamp = now;
    try {
      // Without a file there would be no servers at all: a folder that is not mounted must not end all backups.
      if (now === null && wasThere) throw gone(file.path);
      const read = await file.read();
      problem = null;
      if (JSON.stringify(read) === JSON.stringify(settings) && !merged) return;
      merged = false;
      hold(read);
      await keep(read);
      told.onChange();
    } catch (error) {
      problem = asFault(error, 'read the settings');
      told.onProblem(problem);
    }
  }

  return {
    current: () => settings,
    changed: () => change.signal,
    problem: () => problem?.message ?? '',
    refresh: () => inTurn(look),
    alone: file.alone,
    update: (changeIt) =>
      inTurn(async () => {
        const now = await file.update((read) => {
          merged ||= JSON.stringify(read) !== JSON.stringify(settings);
          return changeIt(read);
        });
        hold(now);
        await keep(settings);
        problem = null;
        return settings;
      }),
    async watch(signal, onChange, onProblem) {
      told = { onChange, onProblem };
      if (problem !== null) onProblem(problem);
      while (!signal.aborted) {
        await inTurn(look);
        await restUntil(clock, lookEveryMs, signal);
      }
    },
  };
}

/** Null where nothing can be used: then what is wrong with the file itself is told. */
async function readKept(path: string): Promise<Settings | null> {
  try {
    // By its form only: it was in use, and what this version finds wrong in it beyond that must not end all backups.
    return settingsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/** Another one after each change; null where there is no file. */
async function stampOf(path: string): Promise<string | null> {
  return await stat(path, { bigint: true }).then(
    // The time of its permissions too: a file that nobody could read is read once they are right.
    ({ ino, mtimeNs, ctimeNs, size }) => `${ino} ${mtimeNs} ${ctimeNs} ${size}`,
    () => null,
  );
}

function gone(path: string): Fault {
  return new Fault('config-invalid', `${path} is gone`, {
    operation: 'read the settings',
    context: {
      path,
      next: 'Put it back, or mount the disk that it lies on; config.last-good.json is what stood in it before the last change by a command.',
    },
  });
}
