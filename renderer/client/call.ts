import type { Reply } from '../../main/contract/answer.ts';
import type { CallInput, CallName, CallReply } from '../../main/contract/calls.ts';
import type { WireFault } from '../../main/contract/faults.ts';
import type { Saying } from '../../main/contract/sayings.ts';
import type { Bridge } from './bridge.ts';
import { passing } from './passing.svelte.ts';
import { session } from './session.svelte.ts';

/** A call that failed, with all that the service said of it. */
export class CallFault extends Error {
  readonly fault: WireFault;

  constructor(fault: WireFault) {
    super(fault.message);
    this.name = 'CallFault';
    this.fault = fault;
  }
}

/** Makes a call of the service. Faults: CallFault, also when the service does not answer (`unavailable`) or nobody is signed in (`unauthenticated`). */
export async function call<Name extends CallName>(name: Name, request: CallInput<Name>, signal?: AbortSignal): Promise<CallReply<Name>> {
  const reply = await (window.holdfast === undefined
    ? overHttp(name, request, signal)
    : overBridge(window.holdfast, name, request, signal));
  // What came all the same must not be taken for a new answer.
  signal?.throwIfAborted();
  if (!reply.ok) throw new CallFault(reply.fault);
  // Checked against the contract where it was answered.
  return reply.value as CallReply<Name>;
}

let calls = 0;

/** A signal cannot cross into the app: what is given up is named there. */
async function overBridge(bridge: Bridge, name: string, request: unknown, signal: AbortSignal | undefined): Promise<Reply> {
  if (signal === undefined) return await bridge.call(name, request);
  signal.throwIfAborted();
  const ticket = `${String(performance.timeOrigin)}/${String(++calls)}`;
  const cancel = (): void => bridge.cancel(ticket);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await bridge.call(name, request, ticket);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function overHttp(name: string, request: unknown, signal: AbortSignal | undefined): Promise<Reply> {
  let response: Response;
  try {
    response = await fetch(`/api/call/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...session.headers() },
      body: JSON.stringify(request),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return { ok: false, fault: here('unavailable', name, 'the service does not answer', 'service-silent') };
  }
  if (response.status === 401) return { ok: false, fault: here('unauthenticated', name, 'this page is signed out', 'page-signed-out') };
  return (await response.json()) as Reply;
}

function here(code: WireFault['code'], operation: string, message: string, say?: Saying): WireFault {
  return { code, persistence: 'temporary', operation, message, context: say === undefined ? {} : { say } };
}

/** Whatever was thrown, as a fault. */
export function faultOf(error: unknown): WireFault {
  if (error instanceof CallFault) return passing.met(error.fault);
  return here('unexpected', 'page', error instanceof Error ? error.message : String(error));
}
