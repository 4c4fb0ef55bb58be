import { describe, expect, it } from 'vitest';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import { compileExcludes } from '../../main/engine/archive/exclude.ts';
import { presetNames, presetPatterns } from '../../main/engine/presets.ts';

/** As a walk sees it: an entry is out when it or any folder above it is. */
function isOut(preset: string, path: string, more: readonly string[] = []): boolean {
  const excluded = compileExcludes([...presetPatterns(preset), ...more]);
  const parts = path.split('/');
  return parts.some((_part, index) => {
    const isDirectory = index < parts.length - 1 || path.endsWith('/');
    return excluded(pathFromText(parts.slice(0, index + 1).join('/')), isDirectory);
  });
}

describe('the minecraft preset', () => {
  it.each([
    'world/session.lock',
    'world_nether/session.lock',
    'logs/latest.log',
    'logs/2026-01-01-1.log.gz',
    'crash-reports/crash-2026.txt',
    '.console_history',
    'cache/index.json',
    'cache/deep/er/thing.bin',
    'hs_err_pid123.log',
    'java_pid123.hprof',
    'plugins/Essentials/userdata/x.yml.tmp',
    'plugins/dynmap/web/tiles/world/flat/0_0.webp',
    'dynmap/web/tiles/world/flat/0_0.webp',
    'plugins/squaremap/web/tiles/minecraft_overworld/3/0_0.png',
    'bluemap/web/maps/world/tiles/0/x0/z0.prbm.gz',
  ])('leaves out %s', (path) => {
    expect(isOut('minecraft', path)).toBe(true);
  });

  it.each([
    'server.jar',
    'mods/fabric-api.jar',
    'plugins/Vault.jar',
    'plugins/.paper-remapped/Vault.jar',
    'libraries/com/mojang/x/1.0/x-1.0.jar',
    'versions/1.21/paper-1.21.jar',
    'cache/mojang_1.21.jar',
    'cache/deep/er/other.jar',
    '.fabric/remappedJars/minecraft/server-intermediary.jar',
    'usercache.json',
    'ops.json',
    'whitelist.json',
    'server.properties',
    'eula.txt',
    'world/level.dat',
    'world/level.dat_old',
    'world/region/r.0.0.mca',
    'world/playerdata/00000000-0000-0000-0000-000000000000.dat',
    'world/datapacks/cache/data/logs/x.json',
    'plugins/CoreProtect/database.db',
    'plugins/Shop/logs/sales.log',
    'plugins/dynmap/markers.yml',
    'plugins/dynmap/configuration.txt',
    'plugins/BlueMap/core.conf',
    'config/paper-global.yml',
  ])('keeps %s', (path) => {
    expect(isOut('minecraft', path)).toBe(false);
  });
});

describe('presets', () => {
  it('give way to patterns after them', () => {
    expect(isOut('minecraft', 'plugins/dynmap/web/tiles/world/0_0.webp', ['!**/web/tiles/'])).toBe(false);
    expect(isOut('minecraft', 'bluemap/web/maps/world/settings.json', ['!**/web/maps/'])).toBe(false);
    expect(isOut('minecraft', 'libraries/x.jar', ['/libraries/'])).toBe(true);
  });

  it('steam leaves out downloads and crash dumps, and keeps saves', () => {
    expect(isOut('steam', 'steamapps/downloading/2394010/x.pak')).toBe(true);
    expect(isOut('steam', 'Pal/Saved/Crashes/UECC-1/dump.dmp')).toBe(true);
    expect(isOut('steam', 'Pal/Saved/Logs/Pal.log')).toBe(true);
    expect(isOut('steam', 'Pal/Saved/SaveGames/0/A/Level.sav')).toBe(false);
    expect(isOut('steam', 'steamapps/appmanifest_2394010.acf')).toBe(false);
  });

  it('are refused when unknown, with those there are named', () => {
    expect(presetNames).toContain('minecraft');
    for (const name of ['minecarft', '', 'constructor', '__proto__']) expect(() => presetPatterns(name)).toThrow(/minecraft, steam/);
  });
});
