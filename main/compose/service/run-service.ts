import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../adapters/files/replace-file.ts';
import { removeLinkPage, sweepLinkPages } from '../../adapters/oauth/link-page.ts';
import { callsEnded } from '../../adapters/system/calls-under-way.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import type { Host } from '../host.ts';
import { composeService, type ComposedService } from './compose-service.ts';
import type { HostFeatures } from './host-features.ts';
import { serveHttp, type HttpServer } from './http-server.ts';
import { servicePlaces, type ServicePlaces } from './places.ts';
import { lockSettings } from './settings-lock.ts';
import { access, serviceToken } from './token.ts';

/** Jobs end at the next part or file once they are told to; whatever takes longer ends with the process, and is taken up at the next start. */
const patienceMs = 3_500;
/** For calls of the file system that a job has given up and that have yet to end. */
const graceMs = 500;

/**
 * Runs the service until the host's signal or a call of service.stop. `onReady` is told where it listens, and handed the service itself. Where something
 * hangs and does not end in time, the lock stays: it ends with the process, which has to end then.
 */
export async function runService(
  host: Host,
  onReady: (port: number, service: ComposedService) => Promise<void>,
  features: HostFeatures = {},
): Promise<void> {
  const places = await servicePlaces();
  const lock = await lockSettings(places).catch((error: unknown) => {
    throw alreadyRunning(error);
  });
  const stop = new AbortController();
  const signal = AbortSignal.any([host.signal, stop.signal]);
  let isOver = true;
  try {
    // The codes of a process that is gone are good no more.
    await sweepLinkPages(places.folder, host.now());
    const service = await composeService(host, places, () => stop.abort(), features);
    const http = await listen(service, places).catch(async (error: unknown) => {
      // A game that a crash left at rest does not wait for a port to become free.
      await Promise.race([service.takeUp().then(() => service.finish()), afterPatience(signal)]);
      throw error;
    });
    await replaceFile(join(places.folder, 'address.json'), `${JSON.stringify({ port: http.port, pid: process.pid })}\n`, {
      overFull: true,
    });
    service.log.write('info', 'started', { version: host.version, pid: process.pid, port: http.port });
    try {
      await onReady(http.port, service);
      const ran = service.run(signal).then(() => callsEnded(graceMs));
      isOver = await Promise.race([ran, afterPatience(signal)]);
    } finally {
      await http.close();
      if (isOver) service.log.write('info', 'stopped');
      else
        service.log.write('warn', 'cut off', {
          message: 'something did not end in time: what was under way is taken up at the next start',
        });
    }
  } finally {
    // A call that hangs may still do its work once the drive is back, and nobody else may be at it then.
    if (isOver) await lock.release();
  }
}

async function listen(service: ComposedService, places: ServicePlaces): Promise<HttpServer> {
  const token = await serviceToken(join(places.folder, 'token'));
  service.redactor.register(token);
  const onLinkUsed = (link: string): void => {
    removeLinkPage(places.folder, link).catch((error: unknown) => {
      service.log.write('warn', 'link page', { message: asFault(error, 'remove the page of a link').message });
    });
  };
  const options = { handlers: service.handlers, subscribe: service.subscribe, access: access(token, Date.now), onLinkUsed };
  const wanted = service.settings.current().service.port;
  if (wanted !== undefined) return await serveHttp({ ...options, port: wanted });
  // The same as before, so that an ssh -L line and a bookmark stay good.
  const before = await lastPort(places);
  try {
    return await serveHttp({ ...options, port: before });
  } catch (error) {
    if (before === 0 || asFault(error, 'listen').code !== 'locked') throw error;
    service.log.write('warn', 'another port', { before, message: asFault(error, 'listen').message });
    return await serveHttp({ ...options, port: 0 });
  }
}

async function lastPort(places: ServicePlaces): Promise<number> {
  try {
    const value: unknown = JSON.parse(await readFile(join(places.folder, 'address.json'), 'utf8'));
    return typeof value === 'object' && value !== null && 'port' in value && typeof value.port === 'number' ? value.port : 0;
  } catch {
    // None yet, or not ours: any port will do.
    return 0;
  }
}

/** False, some time after the signal. */
async function afterPatience(signal: AbortSignal): Promise<boolean> {
  return await new Promise((settle) => {
    const wait = (): void => void setTimeout(() => settle(false), patienceMs);
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
}

function alreadyRunning(error: unknown): Fault {
  const fault = asFault(error, 'start the service');
  if (fault.code !== 'locked' || fault.context['settings'] !== undefined) return fault;
  return new Fault('locked', `Holdfast is at work with these settings already, in process ${String(fault.context['pid'])}`, {
    operation: 'start the service',
    context: { ...fault.context, next: '“holdfast service status” shows it; “holdfast open-page” opens its page.' },
    cause: fault,
  });
}
