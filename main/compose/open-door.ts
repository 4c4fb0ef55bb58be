import { systemClock } from '../adapters/system/clock.ts';
import { asFault, Fault } from '../contract/faults.ts';
import type { CallHandlers } from '../contract/calls.ts';
import type { Clock } from '../engine/ports.ts';
import { handlersOn } from './handlers-on.ts';
import type { Host } from './host.ts';
import { overHttp, runningService } from './service/connect.ts';
import type { ComposedService } from './service/compose-service.ts';
import { featuresOf, hostCalls, type HostFeatures } from './service/host-features.ts';
import { servicePlaces } from './service/places.ts';
import { runService } from './service/run-service.ts';
import type { ServiceDoor } from './service-door.ts';

const tries = 20;
const restMs = 500;

/**
 * The service of this configuration: the one that runs already, else one in this process, with a schedule, that commands and browsers reach
 * like any other. Faults: locked, when another process holds the settings and does not answer.
 */
export async function openDoor(host: Host, features: HostFeatures, clock: Clock = systemClock): Promise<ServiceDoor> {
  for (let left = tries; ; left -= 1) {
    const running = await runningService(await servicePlaces(host.env));
    try {
      return await (running === null ? own(host, features) : attached(running, features));
    } catch (error) {
      // A service that is just starting or ending (unavailable: after it was found), or a command that is at it for a moment.
      const passes = asFault(error, 'start').code === (running === null ? 'locked' : 'unavailable');
      if (!passes || left === 1) throw error;
      await clock.sleep(restMs, host.signal);
    }
  }
}

async function attached(address: Parameters<typeof overHttp>[0], features: HostFeatures): Promise<ServiceDoor> {
  const connection = overHttp(address);
  const ended = Promise.withResolvers<undefined>();
  const listeners = new Set<Parameters<ServiceDoor['subscribe']>[0]>();
  const leave = await connection.subscribe(
    (event) => listeners.forEach((listener) => listener(event)),
    () => ended.resolve(undefined),
  );
  return {
    isOwn: false,
    call: connection.call,
    handlers: withDesktop(handlersOn(connection.call), features),
    subscribe: subscriptionTo(listeners),
    // It looks for itself.
    lookNow: () => undefined,
    ended: ended.promise,
    close: async () => {
      leave();
      ended.resolve(undefined);
      await connection.close();
    },
  };
}

async function own(host: Host, features: HostFeatures): Promise<ServiceDoor> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<ComposedService>();
  const ended = runService(
    { ...host, signal: AbortSignal.any([host.signal, stop.signal]) },
    async (_, service) => ready.resolve(service),
    features,
  );
  // It may fail before it is ready; afterwards this changes nothing.
  ended.then(() => ready.reject(new Fault('cancelled', 'the service was told to stop', { operation: 'start' })), ready.reject);
  const service = await ready.promise;
  return {
    isOwn: true,
    call: service.call,
    handlers: withDesktop(service.handlers, features),
    subscribe: service.subscribe,
    lookNow: () => service.lookNow(),
    ended,
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}

function subscriptionTo(listeners: Set<Parameters<ServiceDoor['subscribe']>[0]>): ServiceDoor['subscribe'] {
  return (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
}

/** What this process's desktop does is asked of it, whichever process the service runs in. */
function withDesktop(handlers: CallHandlers, features: HostFeatures): CallHandlers {
  const info: CallHandlers['service.info'] = async (request, signal) => ({
    ...(await handlers['service.info'](request, signal)),
    features: featuresOf(features),
  });
  return { ...handlers, ...hostCalls(features), 'service.info': info };
}
