import type { DestinationSettings } from '../../contract/destination-settings.ts';
import type { Secrets } from './settings-ports.ts';
import type { SignIns } from './sign-ins.ts';
import { withClientOf } from './with-client.ts';

export interface Completed {
  readonly at: DestinationSettings;
  readonly secrets: Secrets;
  /** Milliseconds since 1970; undefined where nobody signed in. */
  readonly signedInAt: number | undefined;
}

/** Settings and secrets as a finished sign-in completes them. */
export function completedBy(signIns: SignIns, at: DestinationSettings, secrets: Secrets, signIn: string | undefined): Completed {
  if (signIn === undefined) return { at, secrets, signedInAt: undefined };
  const brought = signIns.brought(signIn, at.provider);
  return { at: withClientOf(at, brought.settings), secrets: { ...secrets, ...brought.secrets }, signedInAt: brought.at };
}
