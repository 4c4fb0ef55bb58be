import type { WireFault } from '../../main/contract/faults.ts';
import { t, tOf } from './language.svelte.ts';

/** What a person is told of a fault. */
export interface FaultWords {
  /** The cause, one sentence. */
  readonly says: string;
  /** The next step, one sentence; empty where there is none. */
  readonly next: string;
  /** Under *Details*: what the service said of it, as it said it. */
  readonly detail: string;
}

/** The keychain, and not some folder that another program uses. */
export function isLocked({ code, context }: WireFault): boolean {
  return code === 'locked' && context['keychain'] !== undefined;
}

/** A setting that cannot be used is explained only by its own words; of everything else, the code says what people need. */
export function faultWords(fault: WireFault): FaultWords {
  const own = fault.context['next'];
  const next = typeof own === 'string' ? own : '';
  if (fault.code === 'config-invalid' || fault.code === 'already-exists') {
    return { says: sentence(fault.message), next, detail: `${fault.code}: ${fault.message}` };
  }
  if (isLocked(fault)) return { says: t('fault.keychain.says'), next: t('fault.keychain.next'), detail: `${fault.code}: ${fault.message}` };
  return {
    says: tOf(`fault.${fault.code}.says`, t('fault.unexpected.says')),
    next: tOf(`fault.${fault.code}.next`, next),
    detail: [`${fault.code}: ${fault.message}`, next].filter((text) => text !== '').join('\n'),
  };
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
