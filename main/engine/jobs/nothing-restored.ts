import { Fault } from '../../contract/faults.ts';
import type { RestoreRequest, Warning } from '../../contract/reports.ts';

interface Restored {
  readonly files: number;
  /** Symbolic ones. */
  readonly links: number;
  readonly folders: number;
}

/**
 * Fault not-found where nothing came of a restore. Of a whole snapshot folders alone are nothing: no backup writes such a one, and a target must not be
 * swapped for it. Of patterns a folder that they name is what was asked for, with nothing in it too.
 */
export function refuseNothing({ files, links, folders }: Restored, { include }: Pick<RestoreRequest, 'include'>, snapshot: string): void {
  const wanted = files + links + (include.length > 0 ? folders : 0);
  if (wanted > 0) return;
  const message = include.length === 0 ? 'not one file could be restored' : `nothing in the snapshot matches ${include.join(', ')}`;
  throw new Fault('not-found', message, { operation: 'restore', context: { snapshot } });
}

/** "0 files" by itself reads like nothing at all. */
export function withoutFiles({ files, links, folders }: Restored): readonly Warning[] {
  if (files > 0) return [];
  const counted = (number: number, one: string): string => `${number} ${number === 1 ? one : `${one}s`}`;
  const message = `no file was among what was restored: ${counted(folders, 'folder')}, ${counted(links, 'symbolic link')}`;
  return [{ code: 'target', message, level: 'note' }];
}
