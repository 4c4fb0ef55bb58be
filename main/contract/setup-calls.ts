import { z } from 'zod';
import { passwordSchema } from './destinations.ts';
import { saySchema } from './sayings.ts';

const nothing = z.object({});

const lookSchema = z.object({ language: z.enum(['en', 'de']).exactOptional(), theme: z.enum(['system', 'light', 'dark']).exactOptional() });
export type ChosenLook = z.infer<typeof lookSchema>;

/** What a face needs while a person sets something up, and to show what this computer holds. */
export const setupCalls = {
  /** The folders in a folder of the service's computer, for a picker; an empty path is the home folder of who runs the service. */
  'folders.list': {
    request: z.object({ path: z.string().max(4096) }),
    reply: z.object({
      path: z.string(),
      /** Null at the root. */
      parent: z.string().nullable(),
      folders: z.array(z.object({ name: z.string(), path: z.string(), hidden: z.boolean() })),
    }),
  },
  /** What a folder looks like as a server: what to call it and which preset fits. Counting ends after a moment. */
  'folder.look': {
    request: z.object({ path: z.string().max(4096) }),
    reply: z.object({
      name: z.string(),
      /** Not taken by another server of this computer. */
      slug: z.string(),
      /** The one that fits what is in it. */
      preset: z.string().nullable(),
      /** Why it cannot be backed up; empty when it can. */
      problem: z.string(),
      say: saySchema.exactOptional(),
      files: z.number(),
      bytes: z.number(),
      /** False: counting was ended early, there is more. */
      whole: z.boolean(),
    }),
  },
  'presets.list': { request: nothing, reply: z.array(z.object({ name: z.string(), patterns: z.array(z.string()) })) },
  /** How hard a password is to guess: 0 (at once) to 4 (beyond reach). The sentences are in the language that was asked for. */
  'password.judge': {
    request: z.object({ password: z.string().max(10_000), language: z.enum(['en', 'de']) }),
    reply: z.object({ score: z.number().int().min(0).max(4), warning: z.string(), suggestions: z.array(z.string()) }),
  },
  /** The support bundle, through the same filter as the logs. */
  'report.make': { request: nothing, reply: z.object({ text: z.string() }) },

  /** What the desktop does for a face; a host without one refuses. service.info says which there are. */
  'host.pickFolder': { request: nothing, reply: z.object({ path: z.string().nullable() }) },
  'host.openLink': { request: z.object({ link: z.url() }), reply: nothing },
  /** What the person has chosen on the page, for what the host shows around it; left out: not chosen. */
  'host.look': { request: lookSchema, reply: nothing },
  'host.autostart': { request: z.object({ on: z.boolean().optional() }), reply: z.object({ on: z.boolean() }) },
} as const;

/** Beyond the calls that every host answers. */
export const hostFeatures = ['pick-folder', 'open-link', 'autostart', 'desktop-notices', 'look'] as const;

/** Whose storage it is and how full. */
export const accountSchema = z.object({ name: z.string(), usedBytes: z.number().nullable(), quotaBytes: z.number().nullable() });
export type Account = z.infer<typeof accountSchema>;

/** Of a destination as a whole. */
export const placeCalls = {
  /** Every server that has snapshots there, whichever computer wrote them. */
  'destination.servers': {
    request: z.object({ name: z.string() }),
    reply: z.array(
      z.object({
        slug: z.string(),
        name: z.string(),
        /** Complete ones. */
        snapshots: z.number(),
        newest: z.object({ id: z.string(), time: z.string(), files: z.number().nullable(), bytes: z.number().nullable() }).nullable(),
        storedBytes: z.number(),
        /** A server of this computer goes there under this slug. */
        here: z.boolean(),
      }),
    ),
  },
  /** Whose account it is and how full; null where the provider has no accounts. */
  'destination.account': { request: z.object({ name: z.string() }), reply: z.object({ account: accountSchema.nullable() }) },
  /** Puts new vault records in front: one small object is rewritten. The keychain keeps the new password. */
  'destination.changePassword': {
    request: z.object({ name: z.string(), current: passwordSchema, password: passwordSchema, newKey: z.boolean().default(false) }),
    reply: z.object({ records: z.number(), newKey: z.boolean() }),
  },
  /** The recovery kit: one printable page that needs nothing else, and the same as plain text, in the language that was chosen. */
  'kit.make': {
    request: z.object({ name: z.string(), recoveryKey: z.boolean(), language: z.enum(['en', 'de']).default('en') }),
    reply: z.object({ html: z.string(), text: z.string(), fileName: z.string() }),
  },
} as const;
