import { z } from 'zod';
import { destinationSettingsSchema, type Provider } from './destination-settings.ts';
import { nameSchema } from './names.ts';
import { bandwidthSchema, pauseOnSchema } from './bandwidth-settings.ts';
import { keychainKinds } from './destinations.ts';
import { noticeTargetSchema } from './notices.ts';
import { serverSchema } from './server-settings.ts';

export const destinationName = nameSchema;

/** What this computer knows of a destination beside its settings. */
export const namedDestinationSchema = z.looseObject({
  settings: destinationSettingsSchema,
  /** When the account was signed in with the provider, milliseconds since 1970. */
  signedInAt: z.number().optional(),
  /** When a sign-in was first seen to last longer than a week, milliseconds since 1970; counts for one that was made a week before it. */
  refreshedAt: z.number().optional(),
});

export const settingsVersion = 1;

/** The settings file as a whole. What a later version added is kept. */
export const settingsSchema = z.looseObject({
  version: z.literal(settingsVersion),
  destinations: z.record(destinationName, namedDestinationSchema).default({}),
  servers: z.array(serverSchema).default([]),
  /** Where secrets are kept; a file that a passphrase opens when it is not said. */
  keychain: z.enum(keychainKinds).optional(),
  notices: z.array(noticeTargetSchema).default([]),
  bandwidth: bandwidthSchema.default({ limit: 'off', whilePlayers: 'off' }),
  pauseOn: pauseOnSchema.default({ battery: false, metered: false }),
  service: z.looseObject({ port: z.number().int().min(1024).max(65_535).optional() }).default({}),
});

export type NamedDestination = z.infer<typeof namedDestinationSchema>;
export type Settings = z.infer<typeof settingsSchema>;

export const emptySettings: Settings = settingsSchema.parse({ version: settingsVersion });

/** The secrets of each provider by name, in the order in which they are asked for. `optional` ones may be left out. */
export const providerSecrets = {
  folder: [],
  s3: [
    { name: 'accessKeyId', env: 'AWS_ACCESS_KEY_ID', says: 'Access key id', optional: false },
    { name: 'secretAccessKey', env: 'AWS_SECRET_ACCESS_KEY', says: 'Secret access key', optional: false },
    { name: 'sessionToken', env: 'AWS_SESSION_TOKEN', says: 'Session token', optional: true },
  ],
  'google-drive': [
    { name: 'clientSecret', env: 'HOLDFAST_GOOGLE_CLIENT_SECRET', says: 'Client secret', optional: true },
    { name: 'refreshToken', env: 'HOLDFAST_GOOGLE_REFRESH_TOKEN', says: 'Refresh token', optional: true },
  ],
  dropbox: [
    { name: 'appSecret', env: 'HOLDFAST_DROPBOX_APP_SECRET', says: 'App secret', optional: true },
    { name: 'refreshToken', env: 'HOLDFAST_DROPBOX_REFRESH_TOKEN', says: 'Refresh token', optional: true },
  ],
  'backblaze-b2': [
    { name: 'keyId', env: 'B2_APPLICATION_KEY_ID', says: 'Application key id', optional: false },
    { name: 'applicationKey', env: 'B2_APPLICATION_KEY', says: 'Application key', optional: false },
  ],
} as const satisfies Readonly<Record<Provider, readonly ProviderSecret[]>>;

export interface ProviderSecret {
  readonly name: string;
  /** The variable of the environment that holds it for a destination given by its address. */
  readonly env: string;
  readonly says: string;
  readonly optional: boolean;
}
