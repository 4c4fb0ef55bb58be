import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceHost } from '../../engine/service/ports.ts';
import type { Host } from '../host.ts';
import type { ServicePlaces } from './places.ts';

/** Where test restores go: of this service alone, as others may use the same place. */
export interface Scratch {
  readonly make: ServiceHost['scratch'];
  /** Removes what those of a process that is gone have left, as far as it comes before the signal. Throws what the file system does. */
  sweep(signal: AbortSignal): Promise<void>;
}

export function scratchIn(env: Host['env'], places: ServicePlaces): Scratch {
  const own = env['HOLDFAST_SCRATCH_DIR'];
  const base = own !== undefined && own !== '' ? own : join(places.folder, 'scratch');
  const prefix = `holdfast-drill-${places.lock}-`;
  let listed: Promise<readonly string[]> | null = null;
  /** Looked for once, and before the first is made: so none of it is ours. */
  const left = (): Promise<readonly string[]> =>
    (listed ??= readdir(base).then(
      (names) => names.filter((name) => name.startsWith(prefix)),
      () => [],
    ));
  return {
    async make() {
      await left();
      await mkdir(base, { recursive: true, mode: 0o700 });
      const path = await mkdtemp(join(base, prefix));
      return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
    },
    async sweep(signal) {
      for (const name of await left()) await removeTree(join(base, name), signal);
    },
  };
}

/** Piece by piece: a tree of a million files takes longer than the service has for its end. */
async function removeTree(path: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const isFolder = (await lstat(path)).isDirectory();
  if (isFolder) for (const name of await readdir(path)) await removeTree(join(path, name), signal);
  if (!signal.aborted) await rm(path, { recursive: isFolder, force: true });
}
