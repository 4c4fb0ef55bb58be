import type { Language } from '../../contract/app-words.ts';
import { kitWords } from './kit-words.ts';
import type { RecoveryKit } from './recovery-kit.ts';

const rule = '─'.repeat(72);

/** One page of text, to print and to keep elsewhere. */
export function kitText({ madeOn, host, settings, vault, recoveryKeys, opener, tree }: RecoveryKit, language: Language = 'en'): string {
  const words = kitWords[language];
  return [
    words.title.toUpperCase(),
    words.made(madeOn, host),
    '',
    words.place,
    ...Object.entries(settings).map(([name, value]) => `  ${name}: ${value}`),
    '',
    words.withHeading,
    ...words.withHoldfast.map((step, index) => `  ${index + 1}. ${step}`),
    '',
    words.withoutHeading,
    ...words.withoutHoldfast.flatMap(([step, ...more], index) => [`  ${index + 1}. ${step ?? ''}`, ...more.map((line) => `     ${line}`)]),
    '',
    words.vault,
    vault.replace(/.{1,72}/g, '  $&\n'),
    ...(recoveryKeys.length > 0 ? [words.key, ...recoveryKeys.map((key) => `  ${key}`), ''] : [words.noKey, '']),
    ...[rule, 'tree.py', rule, tree],
    ...[rule, 'open.py', rule, opener],
  ].join('\n');
}
