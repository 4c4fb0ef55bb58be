import { request as httpRequest, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { calls, type Call } from '../../contract/calls.ts';
import { door, type LinkRequest } from '../../contract/door.ts';
import { doorPaths } from '../../contract/door-paths.ts';
import { events, type EventName, type ServiceEvent } from '../../contract/events.ts';
import { Fault, type WireFault } from '../../contract/faults.ts';
import { wireFaultSchema } from '../../contract/jobs.ts';

export interface ServiceAddress {
  readonly port: number;
  readonly token: string;
}

const replySchema = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), fault: wireFaultSchema }),
]);
const largestReply = 64 * 2 ** 20;

/** Calls of a service that runs in another process. Faults are the service's own; unavailable when it is not there or has gone. */
export function callService(address: ServiceAddress): Call {
  return async (name, request, signal) => {
    const value = await post(address, `/api/call/${name}`, request, signal);
    return calls[name].reply.parse(value) as never;
  };
}

/** A sign-in link for a browser on this computer: good once. */
export async function signInLink(address: ServiceAddress): Promise<string> {
  return door.link.reply.parse(await post(address, doorPaths.link, {} satisfies LinkRequest)).link;
}

/** What the service tells from now on, until the signal or the end of the service. */
export async function* serviceEvents(
  address: ServiceAddress,
  signal: AbortSignal,
  onOpen: () => void = () => undefined,
): AsyncGenerator<ServiceEvent> {
  const response = await open(address, { method: 'GET', path: '/api/events' }, undefined, signal);
  onOpen();
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response as AsyncIterable<string>) {
    text += piece;
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const event = eventIn(message);
      if (event !== null) yield event;
    }
  }
}

function eventIn(message: string): ServiceEvent | null {
  const name = /^event: (.+)$/m.exec(message)?.[1];
  const data = [...message.matchAll(/^data: ?(.*)$/gm)].map(([, line]) => line ?? '').join('\n');
  // A later service may tell of more.
  if (name === undefined || !Object.hasOwn(events, name)) return null;
  return { event: name, data: events[name as EventName].parse(JSON.parse(data)) } as ServiceEvent;
}

async function post(address: ServiceAddress, path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
  const response = await open(address, { method: 'POST', path }, JSON.stringify(body), signal);
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > largestReply) throw new Error('the reply is too large');
      pieces.push(piece);
    }
  } catch (error) {
    throw gone(error, signal);
  }
  const reply = replySchema.safeParse(json(Buffer.concat(pieces).toString('utf8')));
  if (!reply.success) throw gone(reply.error, signal);
  if (reply.data.ok) return reply.data.value;
  throw Fault.fromWire(reply.data.fault satisfies WireFault);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw gone(error, undefined);
  }
}

function open(
  { port, token }: ServiceAddress,
  about: { readonly method: string; readonly path: string },
  body: string | undefined,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((settle, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const request = httpRequest({ host: '127.0.0.1', port, ...about, headers, ...(signal === undefined ? {} : { signal }) });
    request.once('error', (error) => reject(gone(error, signal))).once('response', settle);
    request.end(body);
  });
}

function gone(cause: unknown, signal: AbortSignal | undefined): Fault {
  if (signal?.aborted === true) return new Fault('cancelled', 'cancelled', { operation: 'call the service', cause });
  return new Fault('unavailable', 'the service does not answer', {
    operation: 'call the service',
    context: { next: 'See whether it runs: holdfast service status' },
    cause,
  });
}
