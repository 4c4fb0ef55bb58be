import { z } from 'zod';
import { jobCalls } from './job-calls.ts';
import { keepSchema, serverSchema } from './server-settings.ts';
import { scheduleSchema } from './schedule-settings.ts';
import { serverStatusSchema } from './server-status.ts';
import { bandwidthSchema, pauseOnSchema } from './bandwidth-settings.ts';
import {
  checkSchema,
  destinationRowSchema,
  editedDestinationSchema,
  keychainKinds,
  keychainSchema,
  newDestinationSchema,
  passwordSchema,
  secretsSchema,
  triedDestinationSchema,
  watchSchema,
} from './destinations.ts';
import { noticeTargetSchema } from './notices.ts';
import { hostFeatures, placeCalls, setupCalls } from './setup-calls.ts';
import { signInCalls } from './sign-in-calls.ts';
import { snapshotCalls } from './snapshot-calls.ts';

/** `{ slug }`, `{ id }` … */
const slug = z.object({ slug: z.string() });
const name = z.object({ name: z.string() });
const started = z.object({ job: z.string() });
const nothing = z.object({});
const rconPassword = z.string().min(1).max(1000);
const noticeGiven = z.object({ target: noticeTargetSchema, secrets: secretsSchema.default({}), isNew: z.boolean().default(false) });
const snapshotOf = z.object({ slug: z.string(), destination: z.string(), snapshot: z.string() });

/**
 * Every call that a face may make of the service: what goes in and what comes back. The local HTTP interface, the command line and the
 * window all derive from this map; a reply is `{ ok: true, value }` or `{ ok: false, fault }`. Secrets go in and never come out.
 */
export const calls = {
  'service.info': {
    request: nothing,
    reply: z.object({
      version: z.string(),
      startedAt: z.number(),
      keychain: keychainSchema,
      /** What is wrong with the settings file, so that those of before hold on; empty when nothing is. */
      settingsProblem: z.string(),
      /** Why what the service knows is not on disk, and is gone when it ends; empty where it is. */
      stateProblem: z.string(),
      /** The name of the computer. */
      host: z.string(),
      /** IANA zone of the computer. */
      zone: z.string(),
      features: z.array(z.enum(hostFeatures)),
    }),
  },
  'service.stop': { request: nothing, reply: nothing },

  'servers.list': { request: nothing, reply: z.array(serverStatusSchema) },
  'server.get': { request: slug, reply: serverStatusSchema },
  /** `makeFolder`: the folder is made where there is none yet, for a server that is about to be brought back. */
  'server.add': {
    request: z.object({ server: serverSchema, rconPassword: rconPassword.optional(), makeFolder: z.boolean().default(false) }),
    reply: serverStatusSchema,
  },
  /** The server with this slug as it shall be from now on. `makeFolder`: as above. */
  'server.edit': {
    request: z.object({ server: serverSchema, rconPassword: rconPassword.optional(), makeFolder: z.boolean().default(false) }),
    reply: serverStatusSchema,
  },
  /** Forgets settings; what is stored stays. */
  'server.remove': { request: slug, reply: nothing },
  'server.pause': { request: z.object({ slug: z.string(), until: z.number() }), reply: serverStatusSchema },
  'server.resume': { request: slug, reply: serverStatusSchema },

  'destinations.list': { request: nothing, reply: z.array(destinationRowSchema) },
  /** Tries settings and secrets without keeping them. */
  'destination.initialize': { request: triedDestinationSchema, reply: z.array(checkSchema) },
  'destination.add': { request: newDestinationSchema, reply: destinationRowSchema },
  'destination.edit': { request: editedDestinationSchema, reply: z.object({ moved: z.boolean() }) },
  'destination.test': { request: name.extend({ watch: watchSchema }), reply: z.array(checkSchema) },
  'destination.remove': { request: name, reply: nothing },
  /** The password that opens the vault; kept in the keychain after it has opened it, or made it. */
  'destination.setPassword': { request: z.object({ name: z.string(), password: passwordSchema }), reply: nothing },

  /** `exists`: there is something in it, or may be while it is locked. Without anything in a key file, the first passphrase makes it. */
  'keychain.describe': { request: nothing, reply: keychainSchema.extend({ exists: z.boolean() }) },
  /** Opens the one in force, so that what waited for it goes on at once. `passphrase`: of the key file; a keyring asks the person itself. */
  'keychain.open': { request: z.object({ passphrase: passwordSchema.optional() }), reply: keychainSchema },
  /** Moves all secrets to another keychain. A weak one needs `acceptWeak`. `passphrase`: of the key file, where one is moved to. */
  'keychain.use': {
    request: z.object({ kind: z.enum(keychainKinds), acceptWeak: z.boolean().default(false), passphrase: passwordSchema.optional() }),
    reply: keychainSchema,
  },

  /** `problem`: why nothing arrives there at present; empty where nothing is known of it. */
  'notices.list': {
    request: nothing,
    reply: z.array(z.object({ target: noticeTargetSchema, secrets: z.array(z.string()), problem: z.string() })),
  },
  /** Adds it, or puts it in the place of the one with its name; secrets that are left out stay. `isNew`: the name must be free. */
  'notice.set': { request: noticeGiven, reply: nothing },
  'notice.remove': { request: name, reply: nothing },
  /** Sends a notice of kind `test`; a fault says why it did not arrive. */
  'notice.test': { request: name, reply: nothing },
  /** The same with what is kept nowhere yet; secrets that are left out are those of the one with its name, where that is of its kind. */
  'notice.try': { request: noticeGiven, reply: nothing },

  'bandwidth.get': { request: nothing, reply: bandwidthSchema },
  'bandwidth.set': { request: bandwidthSchema, reply: bandwidthSchema },
  'pauseOn.get': { request: nothing, reply: pauseOnSchema },
  'pauseOn.set': { request: pauseOnSchema, reply: pauseOnSchema },

  /** All settings and secrets, sealed with a passphrase: base64. */
  'settings.export': { request: z.object({ passphrase: passwordSchema }), reply: z.object({ file: z.string() }) },
  /** Puts those of a file in the place of all there are. */
  'settings.import': {
    request: z.object({ file: z.string().max(700_000), passphrase: passwordSchema }),
    /** Names of secrets that are given from outside on this computer: the file's are not kept. */
    reply: z.object({ leftOut: z.array(z.string()) }),
  },

  'backup.start': {
    request: z.object({
      slug: z.string(),
      force: z.boolean().default(false),
      takeOver: z.boolean().default(false),
      /** This one rests on no earlier snapshot, whatever the server's settings say. */
      whole: z.boolean().exactOptional(),
    }),
    reply: started,
  },
  'verify.start': {
    request: z.object({ slug: z.string(), destination: z.string(), snapshot: z.string(), quick: z.boolean() }),
    reply: started,
  },
  'drill.start': { request: z.object({ slug: z.string(), destination: z.string() }), reply: started },
  'restore.start': {
    request: snapshotOf.extend({ target: z.string(), include: z.array(z.string()), replace: z.boolean(), force: z.boolean() }),
    reply: started,
  },

  ...jobCalls,
  ...snapshotCalls,
  ...signInCalls,
  ...setupCalls,
  ...placeCalls,

  'schedule.preview': {
    request: z.object({ schedule: scheduleSchema, zone: z.string(), count: z.number().int().min(1).max(50) }),
    reply: z.array(z.number()),
  },
  'retention.preview': {
    request: z.object({ keep: keepSchema, zone: z.string(), times: z.array(z.number()).max(10_000) }),
    reply: z.object({
      keep: z.array(z.object({ id: z.string(), time: z.string(), reasons: z.array(z.string()) })),
      remove: z.array(z.object({ id: z.string(), time: z.string() })),
    }),
  },
} as const satisfies Readonly<Record<string, { readonly request: z.ZodType; readonly reply: z.ZodType }>>;

export type CallName = keyof typeof calls;
/** What a caller gives; what has a default may be left out. */
export type CallInput<Name extends CallName> = z.input<(typeof calls)[Name]['request']>;
/** What the one who answers is given: checked, defaults filled in. */
export type CallRequest<Name extends CallName> = z.output<(typeof calls)[Name]['request']>;
export type CallReply<Name extends CallName> = z.output<(typeof calls)[Name]['reply']>;

/** The service as whoever uses it sees it, wherever it runs. */
export type Call = <Name extends CallName>(name: Name, request: CallInput<Name>, signal?: AbortSignal) => Promise<CallReply<Name>>;

/** Who answers each call. */
export type CallHandlers = { readonly [Name in CallName]: (request: CallRequest<Name>, signal: AbortSignal) => Promise<CallReply<Name>> };

export function isCallName(text: string): text is CallName {
  return Object.hasOwn(calls, text);
}
