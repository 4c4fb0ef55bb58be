import { testClient } from '../clouds/oauth/server.ts';
import { chooseProvider, type FillPlace } from './flow-steps.ts';
import type { Visitor } from './visitor.ts';

export type SignInProvider = 'google-drive' | 'dropbox';

/** As the page names who is signed in with. */
export const signInNames = { 'google-drive': 'Google', dropbox: 'Dropbox' } as const;
/** Who the strict servers say has signed in. */
const person = 'person@example.org';

/** A cloud with a sign-in as the place, in the form until the account is shown. */
export function signedInPlace(provider: SignInProvider): FillPlace {
  return async (visitor) => {
    await chooseProvider(visitor, provider);
    await fillClient(visitor, provider);
    await beginSignIn(visitor, provider);
    await signedIn(visitor).waitFor();
  };
}

export async function fillClient({ page, say, field }: Visitor, provider: SignInProvider): Promise<void> {
  const google = provider === 'google-drive';
  await page.getByText(say('place.advanced', { says: say('place.advanced.client') }), { exact: true }).click();
  await field(google ? 'place.clientId' : 'place.appKey').fill(testClient.id);
  await field(google ? 'place.clientSecret' : 'place.appSecret').fill(testClient.secret);
}

/**
 * Presses the button and settles once the page waits for the provider's, or is through with it. Dropbox has one port for all sign-ins of a computer:
 * another one that waits there ends before long.
 */
export async function beginSignIn(visitor: Visitor, provider: SignInProvider): Promise<void> {
  const { button, text } = visitor;
  const name = { provider: signInNames[provider] };
  const taken = text('signIn.fault.locked.says', name);
  const seen = text('signIn.waiting', name).or(signedIn(visitor)).or(text('signIn.fault.permission-denied.says', name)).or(taken);
  for (;;) {
    await button('signIn.start', name).or(button('do.tryAgain')).click();
    await seen.first().waitFor();
    if ((await taken.count()) === 0) return;
  }
}

export function signedIn({ text }: Visitor): ReturnType<Visitor['text']> {
  return text('signIn.doneAs', { name: person });
}
