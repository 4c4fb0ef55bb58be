import { isAbsolute } from 'node:path';
import { lookAtTarget } from '../../adapters/files/look-at-target.ts';
import type { CallHandlers } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { KeptBefore } from '../../engine/snapshots/restore-target.ts';
import type { Host } from '../host.ts';

export type TargetCalls = Pick<CallHandlers, 'restore.look' | 'undo.list' | 'undo.run' | 'undo.discard'>;

/** Folders that restores go to, and the way back. */
export function targetCalls(host: Pick<Host, 'openTargets' | 'now'>): TargetCalls {
  return {
    'restore.look': async ({ target }) => {
      const { uses, ...look } = await lookAtTarget(whole(target));
      return { ...look, inUse: [...new Set(uses.map(({ command, pid }) => `${command} (${pid})`))] };
    },
    'undo.list': async ({ target }) => rows(await (await host.openTargets()).undo.list(whole(target))),
    'undo.run': async ({ target, force }) => {
      const { restored, before, notes } = await (await host.openTargets()).undo.undo(whole(target), { force, time: host.now() });
      return { restored, before, notes: [...notes] };
    },
    'undo.discard': async ({ target }) => rows(await (await host.openTargets()).undo.discard(whole(target))),
  };
}

const rows = (kept: readonly KeptBefore[]): KeptBefore[] => kept.map((one) => ({ ...one }));

/** What a path without a beginning means depends on where the service was started, which nobody who calls it knows. */
function whole(target: string): string {
  if (isAbsolute(target)) return target;
  throw new Fault('config-invalid', `${target} is not a whole path`, {
    operation: 'restore',
    context: { ...saying('path-not-whole', { path: target }), target },
  });
}
