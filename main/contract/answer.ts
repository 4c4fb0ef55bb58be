import { calls, isCallName, type Call, type CallHandlers, type CallName } from './calls.ts';
import { asFault, Fault, type WireFault } from './faults.ts';
import { firstIssue } from './first-issue.ts';

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: WireFault };

/**
 * Answers a call that came from outside: the name and the request are checked, and of the value only what the contract names goes out, so that
 * nothing slips into a reply. Never rejects.
 */
export async function answer(handlers: CallHandlers, name: string, request: unknown, signal: AbortSignal): Promise<Reply> {
  try {
    if (!isCallName(name)) throw new Fault('not-found', `there is no call ${name}`, { operation: 'call' });
    return { ok: true, value: await handled(handlers, name, request, signal) };
  } catch (error) {
    return { ok: false, fault: asFault(error, name).toWire() };
  }
}

/** The same within one process; `signal` ends calls that bring none of their own. */
export function callOn(handlers: CallHandlers, signal: AbortSignal): Call {
  return async (name, request, own) => (await handled(handlers, name, request, own ?? signal)) as never;
}

async function handled(handlers: CallHandlers, name: CallName, request: unknown, signal: AbortSignal): Promise<unknown> {
  const { request: schema, reply } = calls[name];
  const parsed = schema.safeParse(request);
  if (!parsed.success) throw new Fault('config-invalid', firstIssue(parsed.error), { operation: name });
  // One name with its own request: what the type cannot say for a union of names.
  const handler = handlers[name] as (request: unknown, signal: AbortSignal) => Promise<unknown>;
  return reply.parse(await handler(parsed.data, signal));
}
