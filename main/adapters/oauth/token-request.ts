import { z } from 'zod';
import { Fault } from '../../contract/faults.ts';
import { cancelledFault } from '../../engine/storage/cancel.ts';
import { accountStep } from '../network/account-step.ts';
import { errnoOf, networkMeaning, retryAfterMs, slim } from '../network/errors.ts';
import { openHttp, parsedJson, readAll } from '../network/http.ts';
import type { OAuthProvider } from './providers.ts';
import { clientRefusal } from './refusals.ts';

const tokenSchema = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive().optional(),
  refresh_token: z.string().min(1).optional(),
});
export type TokenReply = z.infer<typeof tokenSchema>;

const refusalSchema = z.object({ error: z.string() });
const longestReply = 64 * 1024;

/**
 * One request to the provider's token address (RFC 6749 §3.2). Secrets go in the body. Faults: sign-in-needed (invalid_grant), config-invalid
 * (the client id or its secret), weather, cancelled.
 */
export async function requestToken(
  provider: OAuthProvider,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<TokenReply> {
  const operation = 'sign in';
  try {
    const reply = await openHttp()({
      url: provider.tokenUrl,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: Buffer.from(new URLSearchParams(form).toString()),
      signal,
    });
    const { statusCode = 0, headers } = reply;
    const value = parsedJson((await readAll(reply, longestReply))?.toString('utf8') ?? '');
    const token = tokenSchema.safeParse(value);
    if (statusCode === 200 && token.success) return token.data;
    const refusal = refusalSchema.safeParse(value);
    throw refused(provider, statusCode, refusal.success ? refusal.data.error : '', retryAfterMs(headers['retry-after'], headers.date));
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (signal?.aborted === true) throw cancelledFault(operation);
    const errno = errnoOf(error);
    const meaning = networkMeaning(errno);
    const context = errno === undefined ? {} : { reason: errno };
    if (meaning !== undefined)
      throw new Fault(meaning.code, `${provider.label} ${meaning.says} (${errno ?? ''})`, { operation, context, cause: slim(error) });
    throw new Fault('unexpected', `the sign-in with ${provider.label} failed`, { operation, context, cause: slim(error) });
  }
}

function refused(provider: OAuthProvider, status: number, error: string, wait: number | undefined): Fault {
  const { label, setupPage } = provider;
  const options = { operation: 'sign in', context: { status, reason: error === '' ? `status ${status}` : error } };
  if (error === 'invalid_grant')
    return new Fault('sign-in-needed', `${label} does not know this sign-in any more (invalid_grant)`, {
      ...options,
      context: { ...options.context, next: accountStep({ code: 'sign-in-needed' }, setupPage) ?? '' },
    });
  const ofClient = clientRefusal(provider, error, options.context);
  if (ofClient !== null) return ofClient;
  // A 5xx that says when to come back is busy, and the wait is kept.
  if (status === 429 || (status >= 500 && wait !== undefined)) {
    return new Fault('rate-limited', `${label} asked for fewer requests`, {
      ...options,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    });
  }
  // A page of HTML with 200 is a network's sign-in page.
  if (status === 200 || status >= 500) return new Fault('unavailable', `${label} gave no token (status ${status})`, options);
  return new Fault('unexpected', `${label} refused the sign-in (${options.context.reason})`, options);
}
