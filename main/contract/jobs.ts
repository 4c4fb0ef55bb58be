import { z } from 'zod';
import { faultCodes } from './faults.ts';

export const wireFaultSchema = z.object({
  code: z.enum(faultCodes),
  persistence: z.enum(['temporary', 'permanent', 'exhausted']),
  operation: z.string(),
  message: z.string(),
  context: z.record(z.string(), z.union([z.string(), z.number()])),
});

export const progressSchema = z.object({
  phase: z.enum(['scan', 'pack', 'upload', 'download', 'check', 'swap']),
  files: z.number(),
  bytes: z.number(),
  totalFiles: z.number().nullable(),
  totalBytes: z.number().nullable(),
  storedBytes: z.number(),
});

export const jobKinds = ['backup', 'restore', 'verify', 'prune', 'drill'] as const;
/** `interrupted`: the process that ran it is gone; its next start found it half done. */
export const jobStates = ['waiting', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const;

/** One run of something on one server, as it is kept in the history and shown while it goes on. Times are milliseconds since 1970. */
export const jobSchema = z.object({
  id: z.string(),
  kind: z.enum(jobKinds),
  /** Slug. */
  server: z.string(),
  /** Name; null where the job works on all destinations of the server. */
  destination: z.string().nullable(),
  state: z.enum(jobStates),
  /** What asked for it. */
  reason: z.enum(['schedule', 'catch-up', 'person', 'follow-up']),
  queuedAt: z.number(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  progress: progressSchema.nullable(),
  /** One sentence on how it ended, in English; empty while it runs. A face with a language of its own says it by what stands below. */
  summary: z.string(),
  /** Id of the snapshot that it wrote, found unchanged, brought back or looked at. */
  snapshot: z.string().nullable(),
  /** A backup that found nothing changed is done, with this set. */
  unchanged: z.boolean(),
  bytes: z.number(),
  storedBytes: z.number(),
  warnings: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      path: z.string().exactOptional(),
      destination: z.string().exactOptional(),
      level: z.literal('note').exactOptional(),
    }),
  ),
  fault: wireFaultSchema.nullable(),
  /** Of a backup: the places that it was for, in a retry only those that had failed, and what became of each. Absent: nothing came so far. */
  places: z.array(z.object({ name: z.string(), snapshot: z.string().nullable(), fault: wireFaultSchema.nullable() })).exactOptional(),
  /** Not of this history: worked out from snapshots that were found, so that neither its end nor what asked for it is known. */
  rebuilt: z.literal(true).exactOptional(),
  /** Of a restore and a test restore: how many came back; of a rebuilt backup: how many there are. */
  files: z.number().exactOptional(),
  /** Of a restore: what was there before is kept, for the way back. */
  kept: z.literal(true).exactOptional(),
  /** Of a restore that did not end well: it ended before it began to change what was there. */
  untouched: z.literal(true).exactOptional(),
  /** A check of less than all of the newest snapshot: that it went well says nothing of the rest. */
  partial: z.literal(true).exactOptional(),
  /** A backup of the schedule that did nothing: while it waited another one had ended well, and nothing was due any more. */
  skipped: z.literal(true).exactOptional(),
  /** Of a restore: what it brings back, and where to. */
  restore: z
    .object({
      snapshot: z.string(),
      target: z.string(),
      replace: z.boolean(),
      /** How many patterns name the part of it that comes back; 0: all of it. */
      patterns: z.number(),
    })
    .exactOptional(),
});

export type JobKind = (typeof jobKinds)[number];
export type JobState = (typeof jobStates)[number];
export type Job = z.infer<typeof jobSchema>;
