import { z } from 'zod';

/**
 * What the local HTTP has beside the calls: the way in. `POST` with JSON (door-paths.ts); the answer is as of any call: `{ ok: true, value: reply }` or
 * `{ ok: false, fault }`. They are no calls, for a page that is signed in may make every call, and needs neither of these.
 */
export const door = {
  /** Takes the token, and no session: a link for a browser of this computer, which is good once. */
  link: { request: z.object({}), reply: z.object({ link: z.string() }) },
  /** Takes neither: the code of such a link for a session, whose other half is a cookie. */
  signIn: { request: z.object({ code: z.string() }), reply: z.object({ half: z.string() }) },
} as const satisfies Readonly<Record<string, { readonly request: z.ZodType; readonly reply: z.ZodType }>>;

export type SignInRequest = z.input<typeof door.signIn.request>;
export type SignInReply = z.output<typeof door.signIn.reply>;
export type LinkRequest = z.input<typeof door.link.request>;
