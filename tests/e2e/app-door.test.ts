import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { composeHost } from '../../main/compose/compose-host.ts';
import { openDoor } from '../../main/compose/open-door.ts';
import type { ServiceDoor } from '../../main/compose/service-door.ts';
import { answer } from '../../main/contract/answer.ts';
import type { ServiceEvent } from '../../main/contract/events.ts';
import type { Host } from '../../main/compose/host.ts';
import { ServiceHome } from '../support/service-process.ts';

const before = { ...process.env };
let opened: ServiceDoor[] = [];
afterEach(async () => {
  for (const door of opened) await door.close();
  opened = [];
  process.env = { ...before };
});

/** As the app composes it, in this process, with the folders of `home`. */
function appHost(home: ServiceHome): Host {
  Object.assign(process.env, home.env);
  return composeHost(new AbortController().signal, {});
}

async function open(host: Host): Promise<ServiceDoor> {
  const door = await openDoor(host, { pickFolder: async () => '/srv/world' });
  opened.push(door);
  return door;
}

describe('the app’s door to the service', () => {
  test('is a service of its own where none runs: it backs up, the command reaches it, and it ends with the app', async () => {
    const home = new ServiceHome();
    await home.setUp();
    writeFileSync(join(home.folder, 'level.dat'), 'world');
    const door = await open(appHost(home));
    expect(door.isOwn).toBe(true);
    const ended = Promise.withResolvers<ServiceEvent>();
    const leave = door.subscribe((event) => {
      if (event.event === 'job' && event.data.endedAt !== null) ended.resolve(event);
    });
    await door.call('backup.start', { slug: 'survival' });
    expect((await ended.promise).data).toMatchObject({ state: 'done', server: 'survival' });
    leave();
    // Woken, the schedule looks and goes on.
    door.lookNow();
    expect(await home.json(['service', 'status'])).toMatchObject({ running: true, pid: process.pid });

    const signal = new AbortController().signal;
    expect(await answer(door.handlers, 'host.pickFolder', {}, signal)).toEqual({ ok: true, value: { path: '/srv/world' } });
    expect(await answer(door.handlers, 'host.openLink', { link: 'https://example.org/' }, signal)).toMatchObject({ ok: false });

    await door.close();
    await door.ended;
    expect((await home.run(['service', 'status'])).stdout).toContain('does not run');
  });

  test('is the service that runs already, which goes on without the app', async () => {
    const home = new ServiceHome();
    await home.setUp();
    const service = await home.start();
    const door = await open(appHost(home));
    expect(door.isOwn).toBe(false);
    const heard = Promise.withResolvers<ServiceEvent>();
    door.subscribe((event) => heard.resolve(event));
    door.lookNow();
    const signal = new AbortController().signal;
    expect(await answer(door.handlers, 'server.pause', { slug: 'survival', until: 0 }, signal)).toMatchObject({ ok: true });
    expect(await heard.promise).toMatchObject({ event: 'server', data: { state: 'paused' } });
    expect(await answer(door.handlers, 'server.get', { slug: 'nobody' }, signal)).toMatchObject({
      ok: false,
      fault: { code: 'not-found' },
    });
    await door.close();
    await door.ended;
    expect(await home.json(['service', 'status'])).toMatchObject({ running: true, pid: service.child.pid });
  });

  test('tells when the running service has ended, and is a service of its own then', async () => {
    const home = new ServiceHome();
    await home.setUp();
    const service = await home.start();
    const host = appHost(home);
    const door = await open(host);
    await service.stop();
    await door.ended;
    expect((await open(host)).isOwn).toBe(true);
  });
});
