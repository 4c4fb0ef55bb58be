import type { Damage, Warning } from '../../contract/reports.ts';

/** What verifying one snapshot found. */
export interface Verified {
  readonly server: string;
  readonly files: number;
  readonly bytes: number;
  readonly damage: readonly Damage[];
  readonly warnings: readonly Warning[];
}

/** Whether all of an object was read and understood, its stored bytes alone were compared with their checksum, or neither. */
export type HowRead = 'whole' | 'sum' | 'nothing';

/** What verifying a classic one found. */
export interface VerifiedClassic extends Verified {
  readonly read: HowRead;
}
