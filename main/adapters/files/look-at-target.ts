import { asFault } from '../../contract/faults.ts';
import { look, nodeFileCalls, shown, type FileCalls } from './file-calls.ts';
import { findUses, type Use } from './in-use.ts';
import { resolveTarget } from './restore-places.ts';
import { checkTarget } from './target-checks.ts';

/** What a restore would meet at its target. */
export interface TargetLook {
  /** The real folder, after links; as it was given where there is none. */
  readonly target: string;
  readonly exists: boolean;
  /** Nothing stands there but what restores themselves left. */
  readonly empty: boolean;
  readonly freeBytes: number;
  readonly uses: readonly Use[];
  /** Why it cannot be restored to; empty when it can. */
  readonly problem: string;
}

/** Looks as a restore that may replace the whole folder does before its first byte, and writes nothing. */
export async function lookAtTarget(typed: string, calls: FileCalls = nodeFileCalls): Promise<TargetLook> {
  const nowhere: TargetLook = { target: typed, exists: false, empty: true, freeBytes: 0, uses: [], problem: '' };
  try {
    const target = await resolveTarget(calls, typed);
    const found = await look(calls, target.path);
    const { freeBytes } = await calls.statfs(found === null ? target.existing : target.path);
    const seen = { ...nowhere, target: shown(target.path), exists: found !== null, empty: found === null, freeBytes: Number(freeBytes) };
    try {
      const request = { target: typed, id: '', replace: true, force: true, bytesNeeded: 0, entriesNeeded: 0, partial: false, time: 0 };
      const { hasContent, exists } = await checkTarget(calls, target, request);
      return { ...seen, empty: !hasContent, uses: exists ? (await findUses(target.path)).found : [] };
    } catch (error) {
      return { ...seen, problem: asFault(error, 'look at target').message };
    }
  } catch (error) {
    return { ...nowhere, problem: asFault(error, 'look at target').message };
  }
}
