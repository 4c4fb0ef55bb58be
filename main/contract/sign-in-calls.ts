import { z } from 'zod';
import { destinationSettingsSchema } from './destination-settings.ts';
import { destinationRowSchema } from './destinations.ts';
import { wireFaultSchema } from './jobs.ts';
import { accountSchema } from './setup-calls.ts';

/** A sign-in with a provider in the system's browser. What it brings stays in the service, under its id, for ten minutes after it is done. */
export const signInSchema = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'done', 'failed', 'cancelled']),
  account: accountSchema.nullable(),
  fault: wireFaultSchema.nullable(),
});
export type SignIn = z.infer<typeof signInSchema>;

const id = z.object({ id: z.string() });

export const signInCalls = {
  /**
   * Begins one: the link is to be opened in a browser of the person. `destination`: one that there is already, whose client secret is used
   * where none is given and the client is the same. Faults: config-invalid (no client id, or a provider without sign-in).
   */
  'signIn.start': {
    request: z.object({
      settings: destinationSettingsSchema,
      clientSecret: z.string().max(1000).optional(),
      destination: z.string().optional(),
    }),
    reply: z.object({ id: z.string(), link: z.string(), expiresAt: z.number() }),
  },
  'signIn.get': { request: id, reply: signInSchema },
  /** The address that a browser on another computer ended on. */
  'signIn.paste': { request: z.object({ id: z.string(), address: z.string().max(10_000) }), reply: z.object({}) },
  'signIn.cancel': { request: id, reply: z.object({}) },
  /** Gives what a finished sign-in brought to a destination that there is already; all that is stored and its history stay. */
  'destination.signIn': { request: z.object({ name: z.string(), signIn: z.string() }), reply: destinationRowSchema },
} as const;
