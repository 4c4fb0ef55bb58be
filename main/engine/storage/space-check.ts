import type { AccountInfo } from '../../contract/account-info.ts';
import type { CallOptions, OwnCheck } from './backend.ts';

const gib = 2 ** 30;
/** Below either of these a place counts as nearly full: a snapshot or two may still go in, and then no more. */
const leastShare = 0.05;
const leastBytes = gib;

/** Whether there is room, for places that tell. */
export function spaceCheck(account: (options?: CallOptions) => Promise<AccountInfo>): OwnCheck {
  return {
    name: 'space',
    async run(_, options) {
      const { usedBytes, quotaBytes } = await account(options);
      if (usedBytes === undefined || quotaBytes === undefined) return 'this place tells no limit of its space';
      const free = Math.max(0, quotaBytes - usedBytes);
      const figures = `${shown(free)} of ${shown(quotaBytes)} are free`;
      if (free >= leastBytes && free >= leastShare * quotaBytes) return figures;
      return {
        problem: `this place is nearly full: ${figures}`,
        next: 'Free space there, keep fewer snapshots, or get more storage before it is full.',
      };
    },
  };
}

function shown(bytes: number): string {
  return bytes < gib ? `${(bytes / 2 ** 20).toFixed(0)} MiB` : `${(bytes / gib).toFixed(1)} GiB`;
}
