import { asFault, type Fault } from '../../contract/faults.ts';
import type { Settings } from '../../contract/settings.ts';
import { localClock } from '../retention/local-time.ts';
import { parseBandwidth } from '../schedule/bandwidth-timetable.ts';
import { occurrencesOf } from '../schedule/occurrences.ts';

export interface SettingsProblem {
  /** Of the member in the settings. */
  readonly path: readonly (string | number)[];
  readonly fault: Fault;
}

/** What no schema can say: whether a cron expression, a zone and a timetable are such. A service must not meet them at night. */
export function* problemsOf(settings: Settings): Generator<SettingsProblem, void, undefined> {
  for (const [index, { schedule, zone }] of settings.servers.entries()) {
    yield* tried(['servers', index, 'zone'], () => localClock(zone));
    // Up to the first occurrence: some expressions are only found to be none when they are used.
    yield* tried(['servers', index, 'schedule'], () => occurrencesOf(schedule, zone).after(0));
  }
  yield* tried(['bandwidth', 'limit'], () => parseBandwidth(settings.bandwidth.limit));
  yield* tried(['bandwidth', 'whilePlayers'], () => parseBandwidth(settings.bandwidth.whilePlayers));
}

function* tried(path: SettingsProblem['path'], look: () => unknown): Generator<SettingsProblem, void, undefined> {
  try {
    look();
  } catch (error) {
    yield { path, fault: asFault(error, 'read the settings') };
  }
}
