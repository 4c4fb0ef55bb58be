import { isAbsolute } from 'node:path';
import { lookAtTarget } from '../../adapters/files/look-at-target.ts';
import type { CallHandlers } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { KeptBefore, WayBack } from '../../engine/snapshots/restore-target.ts';
import type { Host } from '../host.ts';

export type TargetCalls = Pick<CallHandlers, 'restore.look' | 'undo.list' | 'undo.run' | 'undo.cancel' | 'undo.discard'>;

interface UnderWay {
  readonly stop: AbortController;
  isPast: boolean;
}

/** Folders that restores go to, and the way back. */
export function targetCalls(host: Pick<Host, 'openTargets' | 'now'>): TargetCalls {
  /** By target. A second one on the same target is refused by its lock, so the first is the one that is stopped. */
  const underWay = new Map<string, UnderWay>();

  /** Goes on when whoever asked has hung up: a page that was closed took nothing back. Only `undo.cancel` stops it. */
  async function stoppable<T>(target: string, work: (way: WayBack) => Promise<T>): Promise<T> {
    const way: UnderWay = { stop: new AbortController(), isPast: false };
    if (!underWay.has(target)) underWay.set(target, way);
    try {
      return await work({ signal: way.stop.signal, onNoReturn: () => (way.isPast = true) });
    } finally {
      if (underWay.get(target) === way) underWay.delete(target);
    }
  }

  return {
    'restore.look': async ({ target }) => {
      const { uses, ...look } = await lookAtTarget(whole(target));
      return { ...look, inUse: [...new Set(uses.map(({ command, pid }) => `${command} (${pid})`))] };
    },
    'undo.list': async ({ target }, signal) => rows(await (await host.openTargets()).undo.list(whole(target), signal)),
    'undo.run': async ({ target, force }) =>
      await stoppable(whole(target), async (way) => {
        const { restored, before, notes } = await (await host.openTargets()).undo.undo(target, { force, time: host.now(), ...way });
        return { restored, before, notes: [...notes] };
      }),
    'undo.cancel': async ({ target }) => {
      const way = underWay.get(whole(target));
      if (way === undefined) return { state: 'none' };
      if (way.isPast) return { state: 'ending' };
      way.stop.abort();
      return { state: 'stopped' };
    },
    'undo.discard': async ({ target }) =>
      rows(await stoppable(whole(target), async (way) => (await host.openTargets()).undo.discard(target, way))),
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
