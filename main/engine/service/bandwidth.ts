import { asFault } from '../../contract/faults.ts';
import type { Clock } from '../ports.ts';
import { lower, parseBandwidth, ratesAt, type Rates } from '../schedule/bandwidth-timetable.ts';
import type { Bandwidth } from '../storage/layers/bandwidth.ts';
import type { LiveSettings } from './settings-ports.ts';
import { restUntil } from '../storage/cancel.ts';

export interface BandwidthRun {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limiter: Bandwidth;
  readonly settings: Pick<LiveSettings, 'current'>;
  /** IANA zone of the timetable. */
  readonly zone: string;
  /** Slugs of the servers that a job works on now. */
  readonly running: () => readonly string[];
  /** How many people are on a server; null where it cannot be asked. */
  readonly players: (slug: string, signal: AbortSignal) => Promise<number | null>;
}

const lookEveryMs = 20_000;

/** Sets the limits as the timetable and the players would have it, until the signal. */
export async function runBandwidth(run: BandwidthRun): Promise<void> {
  const { clock, signal, limiter } = run;
  let set = '';
  while (!signal.aborted) {
    const rates = await ratesNow(run);
    const key = JSON.stringify(rates);
    if (key !== set) limiter.setLimits(rates);
    set = key;
    await restUntil(clock, lookEveryMs, signal);
  }
}

async function ratesNow(run: BandwidthRun): Promise<Rates> {
  const { limit, whilePlayers } = run.settings.current().bandwidth;
  try {
    const now = run.clock.now();
    const rates = ratesAt(parseBandwidth(limit), now, run.zone);
    const less = ratesAt(parseBandwidth(whilePlayers), now, run.zone);
    if (less.up === undefined && less.down === undefined) return rates;
    return (await somebodyPlays(run)) ? lower(rates, less) : rates;
  } catch (error) {
    // Settings edited by hand to what is no limit: as fast as it goes, rather than no backup.
    if (asFault(error, 'read bandwidth').code === 'config-invalid') return {};
    throw error;
  }
}

/** Asked only while something runs: nobody else is disturbed by a transfer. A server that does not answer has no players. */
async function somebodyPlays({ running, players, signal }: BandwidthRun): Promise<boolean> {
  for (const slug of running()) {
    const count = await players(slug, signal).catch(() => null);
    if (count !== null && count > 0) return true;
  }
  return false;
}
