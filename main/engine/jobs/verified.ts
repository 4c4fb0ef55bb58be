import type { Damage, Warning } from '../../contract/reports.ts';

/** What verifying one snapshot found. */
export interface Verified {
  readonly server: string;
  readonly files: number;
  readonly bytes: number;
  readonly damage: readonly Damage[];
  readonly warnings: readonly Warning[];
}
