import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

interface Packages {
  readonly target: readonly { readonly target: string; readonly arch: readonly string[] }[];
}

interface LoadsConfig {
  readonly loadConfig: (request: object) => Promise<{ readonly result: Readonly<Record<string, Packages>> }>;
}

const systems: Readonly<Partial<Record<NodeJS.Platform, 'linux' | 'mac' | 'win'>>> = { linux: 'linux', darwin: 'mac', win32: 'win' };

/**
 * Arguments for electron-builder: the system, its packages and the processor, as electron-builder.yml in `projectDir` has them. Named one by one, for without names it
 * makes each package for every processor that stands there.
 */
export async function targetsHere(projectDir: string, platform: NodeJS.Platform, arch: string): Promise<readonly string[]> {
  const { loadConfig } = require('app-builder-lib/out/util/config/load.js') as LoadsConfig;
  const { result } = await loadConfig({ packageKey: 'build', configFilename: 'electron-builder', projectDir, packageMetadata: null });
  const system = systems[platform];
  const packages = system === undefined ? [] : (result[system]?.target ?? []);
  const names = packages.filter(({ arch: all }) => all.includes(arch)).map(({ target }) => target);
  if (system === undefined || names.length === 0) throw new Error(`no package is made for ${platform} on ${arch}`);
  return [`--${system}`, ...names, `--${arch}`];
}
