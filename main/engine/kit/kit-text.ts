import { vaultName } from '../archive/vault.ts';
import { keyWarning, withHoldfast, withoutHoldfast, type RecoveryKit } from './recovery-kit.ts';

const rule = '─'.repeat(72);

/** One page of text, to print and to keep elsewhere. */
export function kitText({ madeOn, host, settings, vault, recoveryKeys, opener, tree }: RecoveryKit): string {
  return [
    'HOLDFAST RECOVERY KIT',
    `Made ${madeOn} on ${host}. Keep it away from this computer.`,
    '',
    'Destination (no secrets)',
    ...Object.entries(settings).map(([name, value]) => `  ${name}: ${value}`),
    '',
    'With Holdfast at hand',
    ...withHoldfast.map((step, index) => `  ${index + 1}. ${step}`),
    '',
    'Without Holdfast',
    ...withoutHoldfast.flatMap(([step, ...more], index) => [`  ${index + 1}. ${step ?? ''}`, ...more.map((line) => `     ${line}`)]),
    '',
    `Vault records (${vaultName}, base64; worth nothing without the password)`,
    vault.replace(/.{1,72}/g, '  $&\n'),
    ...(recoveryKeys.length > 0
      ? [`Recovery key: ${keyWarning}`, ...recoveryKeys.map((key) => `  ${key}`), '']
      : ['The recovery key is not in this kit; `holdfast kit --recovery-key` puts it in.', '']),
    ...[rule, 'tree.py', rule, tree],
    ...[rule, 'open.py', rule, opener],
  ].join('\n');
}
