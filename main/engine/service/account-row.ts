import type { AccountInfo } from '../../contract/account-info.ts';
import type { Account } from '../../contract/setup-calls.ts';

/** An account as the contract has it: JSON knows null and no absent members. */
export function accountRow({ name, usedBytes, quotaBytes }: AccountInfo): Account {
  return { name, usedBytes: usedBytes ?? null, quotaBytes: quotaBytes ?? null };
}
