import { asFault } from '../../contract/faults.ts';
import type { Clock } from '../ports.ts';
import { lower, parseBandwidth, ratesAt, type Rates } from '../schedule/bandwidth-timetable.ts';
import type { Bandwidth } from '../storage/layers/bandwidth.ts';
import type { LiveSettings } from './settings-ports.ts';
import { endsWithin, restUntil } from '../storage/cancel.ts';

export interface BandwidthRun {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limiter: Bandwidth;
  readonly settings: Pick<LiveSettings, 'current' | 'changed'>;
  /** IANA zone of the timetable. */
  readonly zone: string;
  /** Slugs of the servers that a job works on now. */
  readonly running: () => readonly string[];
  /** How many people are on a server; null where it cannot be asked. */
  readonly players: (slug: string, signal: AbortSignal) => Promise<number | null>;
}

const lookEveryMs = 20_000;
const patienceMs = 30_000;

/** Sets the limits as the settings, the timetable and the players would have it, until the signal; changed settings count at once. */
export async function runBandwidth(run: BandwidthRun): Promise<void> {
  const { clock, signal, limiter } = run;
  let set = '';
  let playing = false;

  function setLimits(): void {
    const rates = ratesNow(run, playing);
    const key = JSON.stringify(rates);
    if (key !== set) limiter.setLimits(rates);
    set = key;
  }

  while (!signal.aborted) {
    // Taken before the settings are read: no change is missed, whatever is waited for below.
    const changed = run.settings.changed();
    const either = AbortSignal.any([signal, changed]);
    // As it was a moment ago: a console that does not answer holds up no limit.
    setLimits();
    const now = ratesDiffer(run) && (await somebodyPlays(run, either));
    if (either.aborted) continue;
    playing = now;
    setLimits();
    await restUntil(clock, lookEveryMs, either);
  }
}

function ratesNow({ settings, clock, zone }: BandwidthRun, playing: boolean): Rates {
  const { limit, whilePlayers } = settings.current().bandwidth;
  try {
    const rates = ratesAt(parseBandwidth(limit), clock.now(), zone);
    return playing ? lower(rates, ratesAt(parseBandwidth(whilePlayers), clock.now(), zone)) : rates;
  } catch (error) {
    // Settings edited by hand to what is no limit: as fast as it goes, rather than no backup.
    if (asFault(error, 'read bandwidth').code === 'config-invalid') return {};
    throw error;
  }
}

/** Whether it matters now if somebody plays. */
function ratesDiffer(run: BandwidthRun): boolean {
  return JSON.stringify(ratesNow(run, true)) !== JSON.stringify(ratesNow(run, false));
}

/** Asked only while something runs: nobody else is disturbed by a transfer. A server that does not answer has no players. */
async function somebodyPlays({ clock, running, players }: BandwidthRun, signal: AbortSignal): Promise<boolean> {
  for (const slug of running()) {
    const asked = players(slug, signal).catch(() => null);
    // A keychain that hangs takes no signal, and the timetable goes on.
    if (!(await endsWithin(clock, patienceMs, asked))) continue;
    const count = await asked;
    if (count !== null && count > 0) return true;
  }
  return false;
}
