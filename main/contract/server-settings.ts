import { z } from 'zod';
import { scheduleSchema } from './schedule-settings.ts';

/** A program and its arguments; no shell reads them. */
export const commandSchema = z.looseObject({
  argv: z.array(z.string().min(1).max(4096)).min(1).max(64),
  timeoutSeconds: z.number().int().min(1).max(86_400).default(60),
});

/** What runs around a backup. `before` failing stops it; what is behind it runs whatever the others did. */
export const hooksSchema = z.looseObject({
  before: z.array(commandSchema).default([]),
  afterSuccess: z.array(commandSchema).default([]),
  afterFailure: z.array(commandSchema).default([]),
  always: z.array(commandSchema).default([]),
});

const rconSchema = z.looseObject({
  host: z.string().min(1).max(255).default('127.0.0.1'),
  port: z.number().int().min(1).max(65_535).default(25_575),
  timeoutSeconds: z.number().int().min(1).max(600).default(30),
});

/** How a running server is brought to rest while it is read. The RCON password is a secret of the server, `rconPassword`. */
export const quiesceSchema = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('none') }),
  z.looseObject({ kind: z.literal('minecraft'), rcon: rconSchema, warnPlayersSeconds: z.number().int().min(0).max(600).default(0) }),
  z.looseObject({
    kind: z.literal('rcon'),
    rcon: rconSchema,
    /** Sent in order before the folder is read, each reply waited for; `waitFor` must occur in it. */
    pause: z.array(z.looseObject({ command: z.string().min(1).max(1000), waitFor: z.string().max(200).default('') })).max(32),
    resume: z.array(z.looseObject({ command: z.string().min(1).max(1000), waitFor: z.string().max(200).default('') })).max(32),
  }),
  z.looseObject({ kind: z.literal('systemd'), unit: z.string().min(1).max(255), user: z.boolean().default(false) }),
  z.looseObject({ kind: z.literal('docker'), container: z.string().min(1).max(255) }),
]);

const count = z.union([z.number().int().min(0).max(1_000_000), z.literal('unlimited')]);

/** Which snapshots are kept, with the meaning of restic's `forget`; nothing given: all. */
export const keepSchema = z.looseObject({
  last: count.optional(),
  hourly: count.optional(),
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  yearly: count.optional(),
});

const often = z.enum(['weekly', 'monthly', 'never']);

/** A server: a folder that is backed up. Members that a later version added are kept as they are. */
export const serverSchema = z.looseObject({
  /** For people. */
  name: z.string().min(1).max(200),
  /** Its name in destinations, unique among the servers of this computer. */
  slug: z.string().regex(/^[a-z0-9-]{1,63}$/),
  /** Absolute. */
  folder: z.string().min(1).max(4096),
  /** Names of destinations; each gets every snapshot. */
  destinations: z.array(z.string()).min(1).max(8),
  preset: z.string().max(64).optional(),
  excludes: z.array(z.string().max(4096)).default([]),
  level: z.number().int().min(1).max(19).default(3),
  /** When a snapshot is whole, and rests on no earlier one: after so many days, always, or never. Left out: after 30 days. */
  whole: z.union([z.number().int().min(1).max(3650), z.enum(['always', 'never'])]).optional(),
  /** Inode numbers are not compared: some network file systems make them up. */
  ignoreInode: z.boolean().optional(),
  schedule: scheduleSchema.default({ kind: 'manual' }),
  /** IANA zone of the schedule and of the days and weeks that are kept. */
  zone: z.string().min(1).max(64),
  keep: keepSchema.default({}),
  /** A full verification of one snapshot. */
  verify: often.default('weekly'),
  /** An automatic test restore. */
  drill: often.default('monthly'),
  hooks: hooksSchema.default({ before: [], afterSuccess: [], afterFailure: [], always: [] }),
  quiesce: quiesceSchema.default({ kind: 'none' }),
});

export type HookCommand = z.infer<typeof commandSchema>;
export type HookSettings = z.infer<typeof hooksSchema>;
export type QuiesceSettings = z.infer<typeof quiesceSchema>;
export type KeepSettings = z.infer<typeof keepSchema>;
export type ServerSettings = z.infer<typeof serverSchema>;
