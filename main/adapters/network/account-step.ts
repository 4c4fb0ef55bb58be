import { faultTexts } from '../../contract/fault-texts.ts';
import type { FaultCode } from '../../contract/faults.ts';

/** Faults of an account, which the provider's pages, keys and limits have to do with. */
const ofAccount: ReadonlySet<FaultCode> = new Set(['unauthenticated', 'sign-in-needed', 'permission-denied', 'quota-exceeded']);

/**
 * The step to take about a provider's refusal. About an account it leads to the page that sets the account up, which also says what may go wrong with it.
 * Undefined where the code's own text is all there is to say.
 */
export function accountStep(meaning: { readonly code: FaultCode; readonly next?: string | undefined }, page: string): string | undefined {
  if (!ofAccount.has(meaning.code)) return meaning.next;
  const step = meaning.next ?? faultTexts[meaning.code].next;
  return step.includes(page) ? step : `${step} See ${page}.`;
}
