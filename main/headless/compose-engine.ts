import { Fault } from '../contract/faults.ts';
import type { Engine } from '../engine/engine.ts';
import type { RestoreTargets, UndoTarget } from '../engine/snapshots/restore-target.ts';

export function composeEngine(): Promise<Engine> {
  throw new Fault('unsupported', 'The engine is not composed yet');
}

export function composeTargets(): Promise<{ readonly restore: RestoreTargets; readonly undo: UndoTarget }> {
  throw new Fault('unsupported', 'The restore targets are not composed yet');
}
