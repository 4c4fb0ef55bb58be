import { z } from 'zod';
import { faultCodes } from './faults.ts';
import { nameSchema } from './names.ts';
import { saySchema } from './sayings.ts';
import { destinationSettingsSchema } from './destination-settings.ts';

/** One step of a destination's test: what was seen, and what to do about it. One that a fault ended has its code, and what more can be said of it. */
export const checkSchema = z.object({
  ...{ name: z.string(), ok: z.boolean(), message: z.string(), next: z.string() },
  ...{ code: z.enum(faultCodes).exactOptional(), say: saySchema.exactOptional() },
});

/**
 * Where secrets are kept. `system`: the keyring of the desktop or of the system. `sealed-file`: a file that a passphrase opens. `machine-key`: the
 * same file, opened by a key that lies beside it, so that whoever can read both reads all.
 */
export const keychainKinds = ['sealed-file', 'system', 'machine-key'] as const;
export type KeychainKind = (typeof keychainKinds)[number];

/** How secrets are kept, for people to judge. */
export const keychainSchema = z.object({ kind: z.enum(keychainKinds), strong: z.boolean(), locked: z.boolean(), says: z.string() });

/** Secrets by the names that belong to the provider. They go in and never come out. */
export const secretsSchema = z.record(z.string(), z.string().max(10_000));

/** A password or a passphrase: never empty, never trimmed. */
export const passwordSchema = z.string().min(1).max(10_000);

export const newDestinationSchema = z.object({
  name: nameSchema,
  settings: destinationSettingsSchema,
  secrets: secretsSchema,
  /** Id of a finished sign-in, whose secrets come on top of those given. */
  signIn: z.string().optional(),
  /** Opens the vault, or makes it where there is none. */
  password: passwordSchema,
});

/**
 * How the one who has a place tested names that test, so that each check is told of as an event (`destination-check`) before the answer has them all.
 */
export const watchSchema = z.string().min(1).max(100).exactOptional();

/**
 * What is tried without being kept. `of`: a destination whose kept secrets stand in for those that are left out. `folder`: of the server that is to go
 * there, when there is none in the settings yet; neither may lie inside the other.
 */
export const triedDestinationSchema = newDestinationSchema
  .omit({ name: true, password: true })
  .extend({ of: z.string().optional(), folder: z.string().optional(), watch: watchSchema });

export const editedDestinationSchema = z.object({
  name: z.string(),
  /** As they shall be from now on, of the same provider; left out: as they are. */
  settings: destinationSettingsSchema.optional(),
  /** What is left out or empty stays as it is kept; null forgets it. */
  secrets: z.record(z.string(), z.string().max(10_000).nullable()).default({}),
  /** Id of a finished sign-in; needed where the client id is another. */
  signIn: z.string().optional(),
  /** The settings may mean another store (same-place.ts), so that what is stored in the one of now is no longer seen. Refused unless this says so. */
  moves: z.boolean().default(false),
  /** Looks whether the kept password opens what is stored in the other store. */
  look: z.boolean().default(true),
});

/** A destination as it is listed: which secrets are there, and none of them. */
export const destinationRowSchema = z.object({
  name: z.string(),
  settings: destinationSettingsSchema,
  secrets: z.array(z.string()),
  /** Null, and `secrets` empty, while the keychain is locked: nobody can tell. */
  hasPassword: z.boolean().nullable(),
});

export type Keychain = z.infer<typeof keychainSchema>;
export type DestinationRow = z.infer<typeof destinationRowSchema>;
export type NewDestination = z.infer<typeof newDestinationSchema>;
