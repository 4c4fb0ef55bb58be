import { z } from 'zod';
import { jobKinds, jobSchema } from './jobs.ts';

/** One line of what a job did, as the service's log has it. Nothing secret is in it. */
export const jobLineSchema = z.object({
  /** Milliseconds since 1970. */
  at: z.number(),
  level: z.enum(['info', 'warn', 'error']),
  /** What happened, and what belongs to it as `name=value`. */
  text: z.string(),
});
export type JobLine = z.infer<typeof jobLineSchema>;

/** What ran, what runs, and what it says of itself. */
export const jobCalls = {
  'job.cancel': { request: z.object({ job: z.string() }), reply: z.object({}) },
  'job.get': { request: z.object({ job: z.string() }), reply: jobSchema },
  'jobs.list': {
    request: z.object({
      server: z.string().optional(),
      kind: z.enum(jobKinds).optional(),
      /** Only those that failed or were cut off. */
      failed: z.boolean().optional(),
      limit: z.number().int().min(1).max(1000),
    }),
    reply: z.array(jobSchema),
  },
  /** The job's own lines of the log, newest last. The event `job-log` says that there are more. */
  'job.log': {
    request: z.object({
      job: z.string().max(100),
      /** Only lines from before this time: that of the first line of a page leads to the page before it. */
      before: z.number().optional(),
      limit: z.number().int().min(1).max(500).default(200),
    }),
    reply: z.object({
      lines: z.array(jobLineSchema),
      /** The log has older ones. */
      more: z.boolean(),
      /** The beginning is not in the log any more: old lines make room for new ones. */
      cut: z.boolean(),
    }),
  },
} as const;
