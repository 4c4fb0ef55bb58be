import { Fault, type FaultContext } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { accountStep } from '../network/account-step.ts';
import type { OAuthProvider } from './providers.ts';

const operation = 'sign in';

/** What the client's own registration has to do with: RFC 6749 §4.1.2.1 and §5.2, and Google's word for a wrong address. */
const ofClient: ReadonlySet<string> = new Set([
  ...['invalid_client', 'unauthorized_client', 'unsupported_response_type', 'invalid_scope'],
  ...['invalid_request', 'redirect_uri_mismatch'],
]);

/** Where the client id, its secret or its settings are what is refused; null where it is something else. */
export function clientRefusal({ label, setupPage }: OAuthProvider, error: string, context: FaultContext = {}): Fault | null {
  if (!ofClient.has(error)) return null;
  return new Fault('config-invalid', `${label} refused the client id or its settings (${error})`, {
    operation,
    context: {
      ...context,
      ...saying('client-refused', { provider: label }),
      next: `Check client id, secret and redirect address: ${setupPage} shows where.`,
    },
  });
}

/** Why the browser came back without a code (RFC 6749 §4.1.2.1): the person is the reason of one of them only. */
export function signInRefusal(provider: OAuthProvider, error: string): Fault {
  const { label, setupPage } = provider;
  const named = error.slice(0, 60);
  if (error === 'access_denied') {
    const next = 'Sign in again and allow it; nothing was changed.';
    return new Fault('permission-denied', `${label} was not allowed to connect (${named})`, {
      operation,
      context: { next: accountStep({ code: 'permission-denied', next }, setupPage) ?? next },
    });
  }
  if (error === 'server_error' || error === 'temporarily_unavailable') {
    return new Fault('unavailable', `${label} could not sign anybody in just now (${named})`, {
      operation,
      context: {
        ...saying('sign-in-unavailable', { provider: label }),
        next: 'Wait a few minutes, then sign in again; nothing was changed.',
      },
    });
  }
  const next = 'Sign in again; nothing was changed.';
  return (
    clientRefusal(provider, error) ?? new Fault('unexpected', `${label} ended the sign-in (${named})`, { operation, context: { next } })
  );
}
