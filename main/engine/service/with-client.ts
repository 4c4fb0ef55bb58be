import type { DestinationSettings } from '../../contract/destination-settings.ts';

/** The settings with the client id, under the name that the provider has for it. */
export function withClient(settings: DestinationSettings, clientId: string): DestinationSettings {
  if (settings.provider === 'google-drive') return { ...settings, clientId };
  return settings.provider === 'dropbox' ? { ...settings, appKey: clientId } : settings;
}

/** That of the client of before is forgotten with it. */
export function noClientSecret({ provider }: DestinationSettings): Readonly<Record<string, null>> {
  return provider === 'google-drive' ? { clientSecret: null } : { appSecret: null };
}

/** The settings with the client id of these others: a token is good with the client that it was given to and no other. */
export function withClientOf(settings: DestinationSettings, other: DestinationSettings): DestinationSettings {
  const clientId = other.provider === 'google-drive' ? other.clientId : other.provider === 'dropbox' ? other.appKey : undefined;
  return clientId === undefined ? settings : withClient(settings, clientId);
}
