import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { acquireLock } from '../../adapters/system/lock.ts';
import type { Call } from '../../contract/calls.ts';
import type { ServiceEvent } from '../../contract/events.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import type { CliHost } from '../host.ts';
import { callService, serviceEvents, type ServiceAddress } from './http-client.ts';
import { servicePlaces, type ServicePlaces } from './places.ts';
import { readToken } from './token.ts';

export interface Connection {
  readonly call: Call;
  /** Whether a running service answers; else the calls are answered in this process, and end with it. */
  readonly isService: boolean;
  /** Tells of every event from now on, until it is left. Settles once it listens. */
  subscribe(listener: (event: ServiceEvent) => void): Promise<() => void>;
  /** To be called at the end: what was begun here is finished first. */
  close(): Promise<void>;
}

const addressSchema = z.object({ port: z.number(), pid: z.number() });

/** Where a running service of these settings can be called; null when none answers. */
export async function runningService(places: ServicePlaces): Promise<(ServiceAddress & { readonly pid: number }) | null> {
  let text: string;
  try {
    text = await readFile(join(places.folder, 'address.json'), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const token = await readToken(join(places.folder, 'token'));
  const address = addressSchema.safeParse(JSON.parse(text));
  if (token === null || !address.success) return null;
  const found = { ...address.data, token };
  try {
    await callService(found)('service.info', {}, AbortSignal.timeout(5_000));
    return found;
  } catch (error) {
    // What it left of itself before it ended.
    if (['unavailable', 'permission-denied', 'cancelled'].includes(asFault(error, 'call the service').code)) return null;
    throw error;
  }
}

/** The running service, else one in this process, without a schedule, that keeps a service from starting meanwhile. */
export async function connect(host: CliHost): Promise<Connection> {
  const places = await servicePlaces();
  const running = await runningService(places);
  if (running !== null) return overHttp(running, host.signal);
  const lock = await acquireLock(places.stateDir, places.lock).catch((error: unknown) => {
    const fault = asFault(error, 'connect');
    if (fault.code !== 'locked') throw fault;
    throw new Fault('locked', `process ${String(fault.context['pid'])} works with these settings and does not answer`, {
      operation: 'connect',
      context: { ...fault.context, next: 'Try again in a moment; if it stays like this, end that process.' },
      cause: fault,
    });
  });
  const { composeService } = await import('./compose-service.ts');
  const service = await composeService(host, places, () => undefined);
  return {
    call: service.call,
    isService: false,
    subscribe: (listener) => Promise.resolve(service.subscribe(listener)),
    async close() {
      await service.finish();
      await lock.release();
    },
  };
}

function overHttp(address: ServiceAddress, signal: AbortSignal): Connection {
  return {
    call: callService(address),
    isService: true,
    async subscribe(listener) {
      const end = new AbortController();
      await new Promise<void>((settle, reject) => {
        const follow = async (): Promise<void> => {
          for await (const event of serviceEvents(address, AbortSignal.any([signal, end.signal]), settle)) listener(event);
        };
        follow().catch((error: unknown) => reject(asFault(error, 'follow the service')));
      });
      return () => end.abort();
    },
    close: () => Promise.resolve(),
  };
}
