import { z } from 'zod';

const folderName = z.string().min(1).max(1000);

/** Where snapshots go, without secrets: one member for each provider. What a later version added is kept as it is. */
export const destinationSettingsSchema = z.discriminatedUnion('provider', [
  z.looseObject({ provider: z.literal('folder'), path: z.string().min(1).max(4096) }),
  z.looseObject({
    provider: z.literal('s3'),
    bucket: z.string().min(2).max(255),
    prefix: z.string().max(400).optional(),
    endpoint: z.string().max(2048).optional(),
    region: z.string().max(64).optional(),
    pathStyle: z.boolean().optional(),
    storageClass: z.string().max(64).optional(),
    sse: z.enum(['AES256', 'aws:kms']).optional(),
    sseKmsKey: z.string().max(2048).optional(),
    preset: z.enum(['aws', 'minio', 'digitalocean', 'wasabi', 'r2', 'hetzner', 'b2-s3']).optional(),
    sendChecksums: z.boolean().optional(),
  }),
  /** `folder`: names joined by `/`, below My Drive. */
  z.looseObject({ provider: z.literal('google-drive'), folder: folderName, clientId: z.string().max(300).optional() }),
  /** `folder`: below the folder of the app, or the root of the account. */
  z.looseObject({ provider: z.literal('dropbox'), folder: folderName, appKey: z.string().max(300).optional() }),
  z.looseObject({ provider: z.literal('backblaze-b2'), bucket: z.string().min(1).max(63), prefix: z.string().max(400).optional() }),
]);

export type DestinationSettings = z.infer<typeof destinationSettingsSchema>;
export type Provider = DestinationSettings['provider'];
