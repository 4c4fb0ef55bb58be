import { z } from 'zod';
import { destinationSettingsSchema } from './destination-settings.ts';

/** One step of a destination's test: what was seen, and what to do about it. */
export const checkSchema = z.object({ name: z.string(), ok: z.boolean(), message: z.string(), next: z.string() });

/** How secrets are kept, for people to judge. */
export const keychainSchema = z.object({ kind: z.string(), strong: z.boolean(), locked: z.boolean(), says: z.string() });

/** Secrets by the names that belong to the provider. They go in and never come out. */
const secretsSchema = z.record(z.string(), z.string().max(10_000));

export const newDestinationSchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  settings: destinationSettingsSchema,
  secrets: secretsSchema,
  /** Opens the vault, or makes it where there is none. */
  password: z.string().min(1).max(10_000),
});

/** A destination as it is listed: which secrets are there, and none of them. */
export const destinationRowSchema = z.object({
  name: z.string(),
  settings: destinationSettingsSchema,
  /** For people: the bucket, the folder and where it is. */
  label: z.string(),
  secrets: z.array(z.string()),
  hasPassword: z.boolean(),
});

export type Keychain = z.infer<typeof keychainSchema>;
export type DestinationRow = z.infer<typeof destinationRowSchema>;
export type NewDestination = z.infer<typeof newDestinationSchema>;
