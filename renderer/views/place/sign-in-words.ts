import type { WireFault } from '../../../main/contract/faults.ts';
import { sayOf } from '../../../main/contract/sayings.ts';
import { faultWords, isLocked, type FaultWords } from '../../words/faults.ts';
import { t, tOf, words } from '../../words/language.svelte.ts';

/** A sign-in that failed: some codes mean something of their own here, where the fault does not say more exactly what it is. */
export function signInWords(fault: WireFault, provider: string): FaultWords {
  const general = faultWords(fault);
  if (sayOf(fault) !== null || isLocked(fault)) return general;
  return {
    says: tOf(`signIn.fault.${fault.code}.says`, general.says, { provider }),
    next: tOf(`signIn.fault.${fault.code}.next`, general.next === '' ? t('signIn.fault.next') : general.next, { provider }),
    detail: general.detail,
    vague: general.vague && !words.has(`signIn.fault.${fault.code}.says`),
  };
}
