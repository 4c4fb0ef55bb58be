import { z } from 'zod';
import { checkSchema } from './destinations.ts';
import { jobSchema } from './jobs.ts';
import { noticeSchema } from './notices.ts';
import { signInSchema } from './sign-in-calls.ts';
import { serverStatusSchema } from './server-status.ts';

/** What the service tells without being asked, while somebody listens. */
export const events = {
  /** A job began, went on, or ended. */
  job: jobSchema,
  /** The log has a new line of this job. */
  'job-log': z.object({ job: z.string() }),
  /** A server's state, its next run or its settings changed. */
  server: serverStatusSchema,
  'server-removed': z.object({ slug: z.string() }),
  'destinations-changed': z.object({}),
  /** In a test of a place whose caller watches it, a check began or, with what it found, has ended. */
  'destination-check': z.object({ watch: z.string(), name: z.string(), found: checkSchema.nullable() }),
  notice: noticeSchema,
  'sign-in': signInSchema,
} as const satisfies Readonly<Record<string, z.ZodType>>;

export type EventName = keyof typeof events;
export type EventData<Name extends EventName> = z.output<(typeof events)[Name]>;
/** One event, as it crosses processes. */
export type ServiceEvent = { readonly [Name in EventName]: { readonly event: Name; readonly data: EventData<Name> } }[EventName];
