import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callService } from '../../main/compose/service/http-client.ts';
import type { CallInput, CallName } from '../../main/contract/calls.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

type Place = Pick<CallInput<'destination.initialize'>, 'settings' | 'secrets'>;

/** Below the minute after which the service itself gives up a place that does not answer. */
const limit = { timeout: 45_000 };

/** What a person may have to wait for at a place that does not answer. */
describe('a call that is given up ends in the service, down to the connection with the backup place', () => {
  const home = new ServiceHome();
  let service: RunningService;

  beforeAll(async () => {
    await home.json(['keychain', 'use', 'machine-key', '--yes']);
    service = await home.start();
  });
  afterAll(async () => {
    await service.stop();
  });

  async function givenUp<Name extends CallName>(name: Name, request: (place: Place) => CallInput<Name>): Promise<void> {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const endpoint = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}`;
    const place: Place = {
      settings: { provider: 's3', bucket: 'holdfast', preset: 'minio', endpoint },
      secrets: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not a real one' },
    };
    const stop = new AbortController();
    const connected = once(silent, 'connection') as Promise<[Socket]>;
    const answered = callService(service)(name, request(place), stop.signal).catch((error: unknown) => error);
    const [socket] = await connected;
    // A connection on which nothing was asked yet would be kept for the next call.
    await once(socket, 'data');
    const closed = once(socket, 'close');
    // What tidies up behind a test that was cut off needs no answer of this place.
    silent.close();
    stop.abort();
    expect(await answered).toMatchObject({ code: 'cancelled' });
    await closed;
  }

  test('the test of a place that is being described', limit, () => givenUp('destination.initialize', (place) => place));

  test('the adding of a place: nothing of it is kept', limit, async () => {
    await givenUp('destination.add', (place) => ({ ...place, name: 'minio', password: 'zwölf nasse Biber bauen' }));
    const file = join(home.config, 'config.json');
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').not.toContain('minio');
    expect(await callService(service)('destinations.list', {})).toEqual([]);
  });
});
