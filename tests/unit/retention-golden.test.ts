import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RetentionPolicy } from '../../main/contract/reports.ts';
import { decideRetention } from '../../main/engine/retention/decide.ts';

/** See tests/golden/retention/make.py. */
interface Golden {
  readonly restic: string;
  readonly series: readonly {
    readonly name: string;
    readonly zone: string;
    readonly times: readonly string[];
    readonly cases: readonly { readonly policy: RetentionPolicy; readonly keep: Readonly<Record<string, string>> | null }[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL('../golden/retention/restic.json', import.meta.url), 'utf8')) as Golden;
const now = Date.parse('2026-11-23T00:00:00Z');

function code(reason: string): string {
  const letter = reason.replace('oldest ', '').charAt(0);
  return reason.startsWith('oldest ') ? letter.toUpperCase() : letter;
}

describe('retention decides as restic does', () => {
  it('over enough cases of a restic that knows the oldest rule', () => {
    expect(golden.series.reduce((sum, { cases }) => sum + cases.length, 0)).toBeGreaterThanOrEqual(60);
    expect(Number(golden.restic.split('.')[1])).toBeGreaterThanOrEqual(16);
  });

  for (const { name, zone, times, cases } of golden.series) {
    describe(`${name}, ${zone}`, () => {
      const snapshots = times.map((time, index) => ({ id: `${index}`.padStart(3, '0'), time: Date.parse(time), complete: true }));
      // restic lists snapshots of one moment in any order: there only the moment and the reasons can be compared. The other moments are ids.
      const row = (index: number, reasons: string): string => `${times[index]} ${reasons}`;

      for (const { policy, keep } of cases) {
        it(JSON.stringify(policy), () => {
          const decision = decideRetention(snapshots, policy, { zone, now });
          if (keep === null) {
            // Without a rule restic refuses to work; we keep everything.
            expect(decision.keep.map(({ reasons }) => reasons)).toEqual(snapshots.map(() => ['no policy']));
            return;
          }
          const ours = decision.keep.map(({ id, reasons }) => row(Number(id), reasons.map(code).join('')));
          const theirs = Object.entries(keep).map(([index, reasons]) => row(Number(index), reasons));
          expect(ours.sort()).toEqual(theirs.sort());
          expect(decision.remove.length).toBe(times.length - theirs.length);
          expect(new Set([...decision.keep, ...decision.remove].map(({ id }) => id)).size).toBe(times.length);
        });
      }
    });
  }
});
