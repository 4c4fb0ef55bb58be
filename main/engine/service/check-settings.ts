import { asFault, Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { Settings } from '../../contract/settings.ts';
import { presets } from '../presets.ts';
import { localClock } from '../retention/local-time.ts';
import { parseBandwidth } from '../schedule/bandwidth-timetable.ts';
import { occurrencesOf } from '../schedule/occurrences.ts';
import { destinationCalled } from './known-destination.ts';

export interface SettingsProblem {
  /** Of the member in the settings. */
  readonly path: readonly (string | number)[];
  readonly fault: Fault;
}

const operation = 'check settings';

/**
 * What no schema can say: whether a cron expression, a zone and a timetable are such, what must not stand there twice, and whether what is named is
 * there. A service must not meet them at night, and must not pass a server over in silence.
 */
export function* problemsOf(settings: Settings): Generator<SettingsProblem, void, undefined> {
  const { servers, notices, bandwidth } = settings;
  for (const [index, server] of servers.entries()) {
    const at = ['servers', index] as const;
    const other = servers.slice(0, index).find(({ slug }) => slug === server.slug);
    if (other !== undefined) yield { path: [...at, 'slug'], fault: slugTwice(server, other) };
    if (!isWholePath(server.folder)) yield { path: [...at, 'folder'], fault: notWhole(server.folder) };
    for (const [place, name] of server.destinations.entries()) {
      const path = [...at, 'destinations', place];
      if (destinationCalled(settings, name) === undefined) yield { path, fault: unknownPlace(name) };
      if (server.destinations.indexOf(name) < place) yield { path, fault: invalid(`the backup place ${name} is named twice`) };
    }
    const { preset, schedule, zone } = server;
    if (preset !== undefined && !Object.hasOwn(presets, preset)) {
      yield { path: [...at, 'preset'], fault: invalid(`there is no preset ${preset}; there are ${Object.keys(presets).join(', ')}`) };
    }
    yield* tried([...at, 'zone'], () => localClock(zone));
    // Up to the first occurrence: some expressions are only found to be none when they are used.
    yield* tried([...at, 'schedule'], () => occurrencesOf(schedule, zone).after(0));
  }
  for (const [index, { name }] of notices.entries()) {
    // A call finds, changes and removes one by its name.
    if (notices.slice(0, index).some((notice) => notice.name === name))
      yield { path: ['notices', index, 'name'], fault: invalid(`there are two notices called ${name}`) };
  }
  yield* tried(['bandwidth', 'limit'], () => parseBandwidth(bandwidth.limit));
  yield* tried(['bandwidth', 'whilePlayers'], () => parseBandwidth(bandwidth.whilePlayers));
}

/** As POSIX has it, or with a drive or a share of Windows in front: the engine knows no system. */
function isWholePath(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

function slugTwice({ name, slug }: ServerSettings, other: ServerSettings): Fault {
  return invalid(`${name} has the slug ${slug}, which ${other.name} has already`, {
    ...saying('server-taken', { name, other: other.name }),
    next: 'Give each server a slug of its own: it is its name in backup places.',
  });
}

function notWhole(path: string): Fault {
  return invalid(`${path} is not a whole path`, saying('path-not-whole', { path }));
}

function unknownPlace(name: string): Fault {
  return invalid(`there is no backup place called ${name}`, {
    ...saying('place-unknown', { name }),
    next: `Add it first: holdfast destination add ${name} ADDRESS`,
  });
}

function invalid(message: string, context: Fault['context'] = {}): Fault {
  return new Fault('config-invalid', message, { operation, context });
}

function* tried(path: SettingsProblem['path'], look: () => unknown): Generator<SettingsProblem, void, undefined> {
  try {
    look();
  } catch (error) {
    yield { path, fault: asFault(error, 'read the settings') };
  }
}
