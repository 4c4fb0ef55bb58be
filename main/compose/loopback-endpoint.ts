import { Fault } from '../contract/faults.ts';

/**
 * Another address for a provider's API, for tests on this computer; nothing where the variable is not set. Any address beyond loopback is
 * fault config-invalid: whoever could set it would be sent the account's tokens.
 */
export function loopbackEndpoint(env: Readonly<Record<string, string | undefined>>, variable: string): { readonly endpoint?: string } {
  const text = env[variable];
  if (text === undefined || text === '') return {};
  const url = URL.parse(text);
  const isLoopback = url !== null && /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/.test(url.hostname) && /^https?:$/.test(url.protocol);
  if (isLoopback && url.username === '' && url.password === '') return { endpoint: url.origin };
  throw new Fault('config-invalid', `${variable}=${text} is no address of this computer; only those are taken`, {
    operation: 'open destination',
  });
}
