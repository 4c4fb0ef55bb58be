import { z } from 'zod';
import { jobSchema } from './jobs.ts';
import { serverSchema } from './server-settings.ts';

/**
 * `late`: a run is due and waits for another one, which may be the run before it (`running` is that then); `overdue`: no success for two intervals;
 * `paused`: by a person, or because the keychain is locked (`why` says so); `sign-in-needed`: a destination's account must be connected again.
 */
export const serverStates = ['new', 'ok', 'running', 'late', 'overdue', 'failed', 'paused', 'sign-in-needed'] as const;

/** Everything that a face shows of a server at a glance. Times are milliseconds since 1970. */
export const serverStatusSchema = z.object({
  settings: serverSchema,
  state: z.enum(serverStates),
  /** One sentence on the state; empty for ok. */
  why: z.string(),
  /** What to do about it; empty where nothing is to be done. */
  next: z.string(),
  lastSuccess: z.number().nullable(),
  /** Since when the folder is as the newest snapshot holds it. */
  unchangedSince: z.number().nullable(),
  lastProven: z.number().nullable(),
  lastVerified: z.number().nullable(),
  nextRun: z.number().nullable(),
  /** Null where it is not paused; Infinity cannot cross JSON, so 0 means until resumed. */
  pausedUntil: z.number().nullable(),
  running: jobSchema.nullable(),
  /** Jobs that wait for another one to end, oldest first. */
  waiting: z.array(jobSchema),
  last: jobSchema.nullable(),
  /** Of the newest snapshot. */
  bytes: z.number(),
  storedBytes: z.number(),
});

export type ServerState = (typeof serverStates)[number];
export type ServerStatus = z.infer<typeof serverStatusSchema>;
