import { z } from 'zod';
import { faultCodes } from './faults.ts';
import { jobKinds } from './jobs.ts';
import { nameSchema } from './names.ts';

/** What people are told of without asking. `test`: asked for, to see whether it arrives. */
export const noticeKinds = ['failed', 'overdue', 'sign-in-needed', 'quota-near', 'drill-failed', 'recovered', 'settings', 'test'] as const;
export type NoticeKind = (typeof noticeKinds)[number];

export const noticeSchema = z.object({
  kind: z.enum(noticeKinds),
  /** Slug; empty where it is about no single server. */
  server: z.string(),
  /** The server's name, where it is about one. */
  name: z.string().exactOptional(),
  /** What it is about: a job's kind, or that a server was not told to go on. Left out: its kind says all. */
  what: z.enum([...jobKinds, 'at-rest']).exactOptional(),
  /** What it failed for, where that is known: a face with a language of its own says it by this. */
  fault: z.enum(faultCodes).exactOptional(),
  /** One line, in English as all that follows. */
  title: z.string(),
  /** The cause. */
  text: z.string(),
  /** The next step; empty where nothing is to be done. */
  next: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  /** How often the same came up since people were told of it last. */
  repeats: z.number().int(),
});
export type Notice = z.infer<typeof noticeSchema>;
export type NoticeText = Pick<Notice, 'title' | 'text' | 'next'>;

const common = {
  name: nameSchema,
  /** Slugs; left out: all. */
  servers: z.array(z.string()).optional(),
  /** Kinds; left out: all. */
  only: z.array(z.enum(noticeKinds)).optional(),
};

/**
 * Where notices go. An address that is itself a secret (`webhook`, `discord`, `ping`: whoever knows it may write there) is kept in the keychain
 * as the notice's secret `url`; so are a token of ntfy (`token`) and the password of a mail account (`password`).
 */
export const noticeTargetSchema = z.discriminatedUnion('kind', [
  /** A POST of JSON. */
  z.looseObject({ kind: z.literal('webhook'), ...common }),
  z.looseObject({ kind: z.literal('discord'), ...common }),
  z.looseObject({
    kind: z.literal('ntfy'),
    ...common,
    server: z.url({ protocol: /^https?$/ }).default('https://ntfy.sh'),
    topic: z.string().min(1).max(64),
  }),
  z.looseObject({
    kind: z.literal('email'),
    ...common,
    host: z.string().min(1).max(255),
    port: z.number().int().min(1).max(65_535).default(587),
    /** `tls`: from the first byte (port 465); `starttls`: demanded; `none`: only for a server on this computer. */
    security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
    user: z.string().max(255).optional(),
    from: z.string().min(3).max(255),
    to: z.array(z.string().min(3).max(255)).min(1).max(16),
  }),
  /** A healthchecks-style address: told of the start, the success and the failure of every backup, so that silence is noticed elsewhere. */
  z.looseObject({ kind: z.literal('ping'), ...common }),
  /** The desktop of the computer, where the host has one. */
  z.looseObject({ kind: z.literal('desktop'), ...common }),
]);
export type NoticeTarget = z.infer<typeof noticeTargetSchema>;

/** The secrets of each kind by name. `optional` ones may be left out. */
export const noticeSecrets = {
  webhook: [{ name: 'url', says: 'Address of the webhook', optional: false }],
  discord: [{ name: 'url', says: 'Address of the Discord webhook', optional: false }],
  ntfy: [{ name: 'token', says: 'Access token of ntfy', optional: true }],
  email: [{ name: 'password', says: 'Password of the mail account', optional: true }],
  ping: [{ name: 'url', says: 'Address to ping', optional: false }],
  desktop: [],
} as const satisfies Readonly<Record<NoticeTarget['kind'], readonly { name: string; says: string; optional: boolean }[]>>;
