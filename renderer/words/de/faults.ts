import { faultTextsInGerman } from '../../../main/contract/fault-texts-de.ts';
import type { FaultCode } from '../../../main/contract/faults.ts';

type Key = `fault.${FaultCode}.${'says' | 'next'}`;

/** What the desktop says of a fault, too. */
const ofCodes = Object.fromEntries(
  Object.entries(faultTextsInGerman).flatMap(([code, { says, next }]) => [
    [`fault.${code}.says`, says],
    [`fault.${code}.next`, next],
  ]),
) as Readonly<Record<Key, string>>;

export const faults = {
  ...ofCodes,
  'fault.keychain.says': 'Der Schlüsselbund ist gesperrt.',
  'fault.keychain.next': 'Öffne ihn, dann läuft sofort, was auf ihn wartet.',
} as const;
