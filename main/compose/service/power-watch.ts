import { powerState, type PowerState } from '../../adapters/system/power.ts';
import type { Clock } from '../../engine/ports.ts';
import type { LiveSettings } from '../../engine/service/settings-ports.ts';
import { restUntil } from '../../engine/storage/cancel.ts';

export interface PowerWatch {
  /** Why nothing is to be started by itself, as it was seen last. */
  readonly held: () => string | null;
  /** Looks now, where the settings ask for it; settles to the same as it is now, and never rejects. */
  readonly look: () => Promise<string | null>;
  /** Looks again and again while the settings ask for it, until the signal. */
  readonly watch: (signal: AbortSignal) => Promise<void>;
}

export interface PowerWatchOptions {
  readonly clock: Clock;
  readonly settings: Pick<LiveSettings, 'current'>;
  readonly onChange: () => void;
  readonly onProblem: (message: string, error: unknown) => void;
  readonly state?: () => Promise<PowerState>;
}

const lookEveryMs = 30_000;

export function powerWatch({ clock, settings, onChange, onProblem, state = powerState }: PowerWatchOptions): PowerWatch {
  let why: string | null = null;

  async function reason(): Promise<string | null> {
    const { battery, metered } = settings.current().pauseOn;
    if (!battery && !metered) return null;
    const { onBattery, onMetered } = await state();
    if (battery && onBattery === true) return 'This computer runs on its battery, and backups wait for the mains.';
    return metered && onMetered === true ? 'The line of this computer is metered, and backups wait for another one.' : null;
  }

  async function look(): Promise<string | null> {
    try {
      const now = await reason();
      if (now !== why) {
        why = now;
        onChange();
      }
    } catch (error) {
      onProblem('the power supply could not be asked', error);
    }
    return why;
  }

  return {
    look,
    held: () => why,
    async watch(signal) {
      while (!signal.aborted) {
        await look();
        await restUntil(clock, lookEveryMs, signal);
      }
    },
  };
}
