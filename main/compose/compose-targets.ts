import { createRestoreTargets } from '../adapters/files/restore-targets.ts';
import { createUndoTarget } from '../adapters/files/undo.ts';
import type { RestoreTargets, UndoTarget } from '../engine/snapshots/restore-target.ts';

/** Where restores go on this computer, and the way back. */
export function composeTargets(): { readonly restore: RestoreTargets; readonly undo: UndoTarget } {
  return { restore: createRestoreTargets(), undo: createUndoTarget() };
}
