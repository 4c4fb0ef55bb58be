import type { DestinationSettings } from '../../contract/destination-settings.ts';
import { asFault } from '../../contract/faults.ts';
import { noticeSecrets, type NoticeTarget } from '../../contract/notices.ts';
import { destinationSecret, noticeSecret } from '../../contract/secret-names.ts';
import { providerSecrets } from '../../contract/settings.ts';
import type { Keychain } from './keychain.ts';
import type { Secrets } from './settings-ports.ts';

/** The secrets of a destination that are kept. One that has none, as a folder, does not open the keychain. */
export async function destinationSecrets(
  keychain: () => Promise<Keychain>,
  name: string,
  { provider }: DestinationSettings,
): Promise<Secrets> {
  return await kept(keychain, providerSecrets[provider], (secret) => destinationSecret(name, secret));
}

/** The same of where notices go. */
export async function secretsOfNotice(keychain: () => Promise<Keychain>, { kind, name }: NoticeTarget): Promise<Secrets> {
  return await kept(keychain, noticeSecrets[kind], (secret) => noticeSecret(name, secret));
}

/**
 * Does it with the secrets of a notice's target. A locked keychain holds up nobody who can do without: where all of them are optional it is tried
 * without any, and where the receiver refuses that, the locked keychain is the fault.
 */
export async function withNoticeSecrets<T>(
  keychain: () => Promise<Keychain>,
  target: NoticeTarget,
  work: (secrets: Secrets) => Promise<T>,
): Promise<T> {
  let secrets: Secrets = {};
  let locked: unknown = null;
  try {
    secrets = await secretsOfNotice(keychain, target);
  } catch (error) {
    if (!isLocked(error) || noticeSecrets[target.kind].some(({ optional }) => !optional)) throw error;
    locked = error;
  }
  try {
    return await work(secrets);
  } catch (error) {
    // A receiver that is away, or a signal, says nothing about secrets.
    const { code, persistence } = asFault(error, 'notify');
    throw locked !== null && persistence === 'permanent' && code !== 'cancelled' ? locked : error;
  }
}

function isLocked(error: unknown): boolean {
  return ['locked', 'wrong-password'].includes(asFault(error, 'read the keychain').code);
}

/** What is listed must be seen while the keychain is locked, too: that is where it is opened. */
export async function unlessLocked<T, Otherwise>(look: () => Promise<T>, otherwise: Otherwise): Promise<T | Otherwise> {
  try {
    return await look();
  } catch (error) {
    if (isLocked(error)) return otherwise;
    throw error;
  }
}

/** Everything that a keychain holds, by its names there. One with nothing in it is not opened. */
export async function allSecrets(keychain: Keychain): Promise<Secrets> {
  const secrets: Record<string, string> = {};
  for (const name of (await keychain.exists()) ? await keychain.names() : []) {
    const value = await keychain.get(name);
    if (value !== null) secrets[name] = value;
  }
  return secrets;
}

/** Those that may be set, and the names of those that something outside gives and goes on giving. */
export async function settable(
  keychain: Keychain,
  secrets: Secrets,
): Promise<{ readonly secrets: Secrets; readonly given: readonly string[] }> {
  const given: string[] = [];
  for (const name of Object.keys(secrets)) if ((await keychain.isGiven?.(name)) === true) given.push(name);
  return { secrets: Object.fromEntries(Object.entries(secrets).filter(([name]) => !given.includes(name))), given };
}

async function kept(
  keychain: () => Promise<Keychain>,
  wanted: readonly { readonly name: string }[],
  nameOf: (secret: string) => string,
): Promise<Secrets> {
  const secrets: Record<string, string> = {};
  if (wanted.length === 0) return secrets;
  const opened = await keychain();
  for (const { name } of wanted) {
    const value = await opened.get(nameOf(name));
    if (value !== null) secrets[name] = value;
  }
  return secrets;
}
