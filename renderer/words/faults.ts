import type { WireFault } from '../../main/contract/faults.ts';
import type { Say } from '../../main/contract/sayings.ts';
import { t, tOf } from './language.svelte.ts';

/** What a person is told of a fault. */
export interface FaultWords {
  /** The cause, one sentence. */
  readonly says: string;
  /** The next step, one sentence; empty where there is none. */
  readonly next: string;
  /** Under *Details*: what the service said of it, as it said it, in English. */
  readonly detail: string;
  /** The words before say too little without the details. */
  readonly vague: boolean;
}

/** The keychain, and not some folder that another program uses. */
export function isLocked({ code, context }: WireFault): boolean {
  return code === 'locked' && context['keychain'] !== undefined;
}

/** These say that something is so, and not what. */
const vague: ReadonlySet<string> = new Set(['config-invalid', 'already-exists', 'unsupported', 'unexpected']);

/**
 * By the sentence that the fault names, else by its code: so the page speaks one language throughout, and what the service says of it, which is English and
 * often names commands, stands in the details.
 */
export function faultWords(fault: WireFault): FaultWords {
  const { code, context, message } = fault;
  const own = context['next'];
  const detail = [`${code}: ${message}`, typeof own === 'string' ? own : ''].filter((text) => text !== '').join('\n');
  // Here it can be opened: that is the next step, whatever else the service would say.
  if (isLocked(fault)) return { says: t('fault.keychain.says'), next: t('fault.keychain.next'), detail, vague: false };
  const key = context['say'];
  const known = typeof key === 'string' ? saidAs({ key, args: context }) : null;
  if (known !== null) return { ...known, detail, vague: false };
  return {
    says: tOf(`fault.${code}.says`, t('fault.unexpected.says')),
    next: tOf(`fault.${code}.next`, t('fault.unexpected.next')),
    detail,
    vague: vague.has(code),
  };
}

/** Null: a newer service has more to say than this page knows. */
export function saidAs({ key, args }: { readonly key: string; readonly args: Say['args'] }): Pick<FaultWords, 'says' | 'next'> | null {
  const says = tOf(`say.${key}.says`, '', args);
  return says === '' ? null : { says, next: tOf(`say.${key}.next`, '', args) };
}
