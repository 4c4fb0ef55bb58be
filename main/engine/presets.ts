import { Fault } from '../contract/faults.ts';

export interface PresetPattern {
  /** gitignore syntax, from the server's folder. */
  readonly pattern: string;
  /** Why a careful admin leaves it out, or keeps it. */
  readonly reason: string;
}

/**
 * What may be left out for a kind of server, by wish only. A pattern stands here when its files come back by themselves or are of
 * use to nobody after a restore. What only a player, a plugin or an admin has made is never named.
 */
export const presets: Readonly<Record<string, readonly PresetPattern[]>> = {
  minecraft: [
    { pattern: 'session.lock', reason: 'marks a world as open in the running server; written anew at each start' },
    { pattern: '/logs/', reason: 'what the server printed; grows without end' },
    { pattern: '/crash-reports/', reason: 'reports of past crashes' },
    { pattern: '/debug/', reason: 'results of /debug and /perf' },
    { pattern: '/hs_err_pid*.log', reason: 'crash notes of the Java machine' },
    { pattern: '/replay_pid*.log', reason: 'crash notes of the Java machine' },
    { pattern: '/*.hprof', reason: 'memory dumps of the Java machine, as large as its heap' },
    { pattern: '/.console_history', reason: 'what was typed at the console' },
    { pattern: '/.mixin.out/', reason: 'debugging output of Mixin, made at each start' },
    { pattern: '*.tmp', reason: 'half-written files' },
    { pattern: '/cache/**', reason: 'downloads that Paper keeps' },
    { pattern: '!/cache/**/', reason: 'folders of the cache stay, so that the jars in them can' },
    { pattern: '**/dynmap/web/tiles/', reason: 'rendered map, drawn again by /dynmap fullrender; often larger than the worlds' },
    { pattern: '**/squaremap/web/tiles/', reason: 'rendered map, drawn again by /squaremap fullrender' },
    { pattern: '**/bluemap/web/maps/', reason: 'rendered map with its notes on what is drawn; BlueMap draws it again' },
    { pattern: '!*.jar', reason: 'server, mods, plugins and libraries are part of a server, and the exact versions may be gone elsewhere' },
  ],
  steam: [
    { pattern: '**/steamapps/downloading/', reason: 'half-finished downloads of SteamCMD' },
    { pattern: '**/steamapps/temp/', reason: 'working space of SteamCMD' },
    { pattern: '**/Saved/Logs/', reason: 'logs of servers built on Unreal (Palworld, ARK, Satisfactory)' },
    { pattern: '**/Saved/Crashes/', reason: 'crash dumps of servers built on Unreal' },
  ],
};

export const presetNames: readonly string[] = Object.keys(presets);

/** The patterns of a preset, in order. An unknown name is fault config-invalid and lists those there are. */
export function presetPatterns(name: string): readonly string[] {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (preset !== undefined) return preset.map(({ pattern }) => pattern);
  throw new Fault('config-invalid', `there is no preset '${name}'; there are: ${presetNames.join(', ')}`, {
    operation: 'read preset',
    context: { preset: name },
  });
}
