import { stat } from 'node:fs/promises';
import { asFault } from '../../contract/faults.ts';
import type { Settings } from '../../contract/settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { LiveSettings } from '../../engine/service/settings-ports.ts';
import type { SettingsFile } from './settings-file.ts';

export interface WatchedSettings extends LiveSettings {
  /** Looks again and again for changes made by hand or by another process, until the signal. */
  watch(signal: AbortSignal, onChange: () => void, onProblem: (message: string) => void): Promise<void>;
}

/** Long enough to cost nothing, short enough for who waits for a change to count. */
const lookEveryMs = 3_000;

/** The settings file as a running service sees it: a broken one is told, and what held before holds on. */
export async function liveSettings(file: SettingsFile, clock: Clock): Promise<WatchedSettings> {
  let stamp = await stampOf(file.path);
  let settings: Settings = await file.read();
  let problem = '';

  async function look(onChange: () => void, onProblem: (message: string) => void): Promise<void> {
    const now = await stampOf(file.path);
    if (now === stamp) return;
    stamp = now;
    try {
      const read = await file.read();
      problem = '';
      if (JSON.stringify(read) === JSON.stringify(settings)) return;
      settings = read;
      onChange();
    } catch (error) {
      problem = asFault(error, 'read the settings').message;
      onProblem(problem);
    }
  }

  return {
    current: () => settings,
    problem: () => problem,
    async update(change) {
      settings = await file.update(change);
      problem = '';
      return settings;
    },
    async watch(signal, onChange, onProblem) {
      while (!signal.aborted) {
        await look(onChange, onProblem);
        await clock.sleep(lookEveryMs, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error;
        });
      }
    },
  };
}

async function stampOf(path: string): Promise<string> {
  return await stat(path, { bigint: true }).then(
    ({ ino, mtimeNs, size }) => `${ino} ${mtimeNs} ${size}`,
    (error: unknown) => asFault(error, 'look at the settings').message,
  );
}
