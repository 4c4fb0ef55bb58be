import type { KeepSettings } from '../../../main/contract/server-settings.ts';
import type { SnapshotSummary } from '../../../main/contract/snapshot-calls.ts';
import { t } from '../../words/language.svelte.ts';

export const tiers = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Tier = (typeof tiers)[number];

/** What the list can be narrowed to. */
export type Filter = 'all' | Tier | 'pinned' | 'going' | 'problem';

/** Why each snapshot stays, worked out once for a whole list. */
export interface Standing {
  readonly tiers: readonly { readonly tier: Tier; readonly place: number }[];
  /** Reasons that belong to no tier, as the service gives them. */
  readonly others: readonly string[];
  /** The next clean-up removes it. */
  readonly going: boolean;
}

export interface Preview {
  readonly keep: readonly { readonly id: string; readonly reasons: readonly string[] }[];
  readonly remove: readonly string[];
}

const tierReason = /^(?:oldest )?(last|hourly|daily|weekly|monthly|yearly) snapshot$/;

/** The preview's `keep` is newest first, so that counting gives the places. */
export function standings({ keep, remove }: Preview): ReadonlyMap<string, Standing> {
  const counts = new Map<string, number>();
  const all = new Map<string, Standing>();
  for (const { id, reasons } of keep) {
    const mine: { tier: Tier; place: number }[] = [];
    const others: string[] = [];
    for (const reason of reasons) {
      const tier = tiers.find((one) => one === tierReason.exec(reason)?.[1]);
      if (tier === undefined) {
        others.push(reason);
        continue;
      }
      const place = (counts.get(tier) ?? 0) + 1;
      counts.set(tier, place);
      mine.push({ tier, place });
    }
    all.set(id, { tiers: mine, others, going: false });
  }
  for (const id of remove) all.set(id, { tiers: [], others: [], going: true });
  return all;
}

export function fits(filter: Filter, row: SnapshotSummary, standing: Standing | undefined): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'pinned':
      return row.pinned;
    case 'going':
      return standing?.going === true;
    case 'problem':
      return !row.complete || row.problem !== undefined;
    default:
      return standing?.tiers.some(({ tier }) => tier === filter) === true;
  }
}

/** Why it stays, in words. */
export function reasonsOf(standing: Standing | undefined, keep: KeepSettings, pinned: boolean): readonly string[] {
  if (standing === undefined) return pinned ? [t('kept.pinned')] : [];
  if (standing.going) return [t('kept.going')];
  const words = standing.tiers.map(({ tier, place }) => {
    const of = keep[tier];
    return typeof of === 'number' && place <= of ? t(`kept.${tier}.of`, { place, of }) : t(`kept.${tier}`);
  });
  for (const reason of standing.others) {
    if (reason === 'pinned') words.unshift(t('kept.pinned'));
    else if (reason === 'no policy') words.push(t('kept.noPolicy'));
    else if (reason === 'dated in the future') words.push(t('kept.future'));
    else words.push(t('kept.lastWhole'));
  }
  return words;
}
