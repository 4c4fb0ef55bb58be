export interface CheckRow {
  readonly id: string;
  readonly outcome: 'ok' | 'fail' | 'skipped' | 'waiting' | 'running';
  readonly says: string;
  /** At the right. */
  readonly fact?: string;
  /** Of a cross: the cause. */
  readonly cause?: string;
  readonly next?: string;
  /** What the service said of it, in English. */
  readonly detail?: string;
}
