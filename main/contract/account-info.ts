/** Whose storage it is and how full, as people want to see it after a sign-in. */
export interface AccountInfo {
  /** A display name or an address. */
  readonly name: string;
  readonly usedBytes?: number;
  /** Absent: without a limit, or the provider does not tell. */
  readonly quotaBytes?: number;
}
