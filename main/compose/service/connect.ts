import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemClock } from '../../adapters/system/clock.ts';
import { lockHolder } from '../../adapters/system/lock.ts';
import { patientLock } from '../../adapters/system/wait-for-lock.ts';
import type { Call } from '../../contract/calls.ts';
import type { ServiceEvent } from '../../contract/events.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import type { Host } from '../host.ts';
import { callService, serviceEvents, type ServiceAddress } from './http-client.ts';
import { servicePlaces, type ServicePlaces } from './places.ts';
import { lockSettings } from './settings-lock.ts';
import { readToken } from './token.ts';
import { errnoOf } from '../errno.ts';

export interface Connection {
  readonly call: Call;
  /** Whether a running service answers; else the calls are answered in this process, and end with it. */
  readonly isService: boolean;
  /** Tells of every event from now on, until it is left. Settles once it listens. `onLost`: the service has ended, and nothing more will come. */
  subscribe(listener: (event: ServiceEvent) => void, onLost: (fault: Fault) => void): Promise<() => void>;
  /** To be called at the end: what was begun here is finished first. Settles to why what is known now could not be written; null where it was. */
  close(): Promise<Fault | null>;
}

const addressSchema = z.object({ port: z.number(), pid: z.number() });

/** Where the service of these settings listens: the process that holds its lock, whether it answers or not. Null when there is none. */
async function serviceAddress(places: ServicePlaces): Promise<{ readonly port: number; readonly pid: number } | null> {
  let text: string;
  try {
    text = await readFile(join(places.folder, 'address.json'), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  const address = addressSchema.safeParse(parsed(text));
  const holder = await lockHolder(places.stateDir, places.lock);
  return address.success && holder?.pid === address.data.pid ? address.data : null;
}

/** A file that was damaged is as good as none: the next start of the service writes it anew. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    process.emitWarning(`address.json of the service cannot be read, and is left out: ${String(error)}`);
    return null;
  }
}

/** A service that answers. The token is told to nobody but the holder of the lock: once a service has ended, anybody may listen at its port. */
export async function runningService(places: ServicePlaces): Promise<(ServiceAddress & { readonly pid: number }) | null> {
  const address = await serviceAddress(places);
  const token = address === null ? null : await readToken(join(places.folder, 'token'));
  if (address === null || token === null) return null;
  const found = { ...address, token };
  try {
    await callService(found)('service.info', {}, AbortSignal.timeout(5_000));
    return found;
  } catch (error) {
    if (['unavailable', 'permission-denied', 'cancelled'].includes(asFault(error, 'call the service').code)) return null;
    throw error;
  }
}

/**
 * The running service, else one in this process, without a schedule, that keeps a service from starting meanwhile. What a process that is gone has
 * left is taken up first: no service may start for long.
 */
export async function connect(host: Host): Promise<Connection> {
  const places = await servicePlaces();
  const running = await runningService(places);
  if (running !== null) return overHttp(running);
  const silent = await serviceAddress(places);
  if (silent !== null) throw notAnswering(silent.pid);
  // Another command may be at it for a moment.
  const lock = await lockSettings(places, (folder, name) => patientLock(folder, name, systemClock)).catch((error: unknown) => {
    const fault = asFault(error, 'connect');
    const isHere = fault.code === 'locked' && fault.context['settings'] === undefined;
    throw isHere ? notAnswering(fault.context['pid'], fault) : fault;
  });
  const { composeService } = await import('./compose-service.ts');
  const service = await composeService(host, places, null);
  await service.takeUp();
  return {
    call: service.call,
    isService: false,
    subscribe: (listener) => Promise.resolve(service.subscribe(listener)),
    async close() {
      const failure = await service.finish();
      await lock.release();
      return failure;
    },
  };
}

/** For a command that needs no service: takes up what was left at rest, unless somebody is at work who does. */
export async function takeUpLeft(host: Host): Promise<void> {
  const { stateDir, lock } = await servicePlaces();
  if ((await lockHolder(stateDir, lock)) === null) await (await connect(host)).close();
}

function notAnswering(pid: string | number | undefined, cause?: Fault): Fault {
  return new Fault('locked', `process ${String(pid)} works with these settings and does not answer`, {
    operation: 'connect',
    context: { pid: pid ?? '', next: 'Try again when it has ended; a command that runs for long is better run while the service runs.' },
    ...(cause === undefined ? {} : { cause }),
  });
}

const next = '“holdfast server jobs” shows how far the job came; the next start of the service takes it up.';

export function overHttp(address: ServiceAddress): Connection {
  return {
    call: callService(address),
    isService: true,
    async subscribe(listener, onLost) {
      const end = new AbortController();
      await new Promise<void>((settle, reject) => {
        const follow = async (): Promise<void> => {
          try {
            for await (const event of serviceEvents(address, end.signal, settle)) listener(event);
          } finally {
            if (!end.signal.aborted)
              onLost(new Fault('unavailable', 'the service has ended', { operation: 'follow the service', context: { next } }));
          }
        };
        follow().catch((error: unknown) => reject(asFault(error, 'follow the service')));
      });
      return () => end.abort();
    },
    close: () => Promise.resolve(null),
  };
}
