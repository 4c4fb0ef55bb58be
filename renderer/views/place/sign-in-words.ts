import type { WireFault } from '../../../main/contract/faults.ts';
import { faultWords, type FaultWords } from '../../words/faults.ts';
import { t, tOf, words } from '../../words/language.svelte.ts';

/** A sign-in that failed: some codes mean something of their own here. */
export function signInWords(fault: WireFault, provider: string): FaultWords {
  const general = faultWords(fault);
  return {
    says: tOf(`signIn.fault.${fault.code}.says`, general.says, { provider }),
    next: tOf(`signIn.fault.${fault.code}.next`, general.next === '' ? t('signIn.fault.next') : general.next, { provider }),
    detail: general.detail,
    vague: general.vague && !words.has(`signIn.fault.${fault.code}.says`),
  };
}
