import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../main/adapters/compute/scan/scanner.ts';
import { Fault, type FaultCode } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import type { OpenDestination } from '../../main/engine/engine.ts';
import { factsAfter } from '../../main/engine/service/facts.ts';
import { noFacts } from '../../main/engine/service/ports.ts';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';
import { keysOf, world as realEngine, type World } from '../support/engine-on-memory.ts';
import { settle } from '../support/fake-clock.ts';
import { serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const never = new AbortController().signal;
const minute = 60_000;

/** Files as young as those of a test would count as changed once more. */
function laterEngine(): World {
  const later = { clockOffset: 2 * minute };
  return realEngine({ host: { packer: threadPacker(later), scan: threadScan(later) } });
}

async function backup(world: ServiceWorld): Promise<Job> {
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, never);
  const job = await ended;
  await settle();
  return job;
}

test('each run looks at the newest snapshot, also one that finds nothing changed', async () => {
  const looked: string[] = [];
  const engine = laterEngine();
  const verify: World['engine']['verify'] = (place, request, run) => {
    looked.push(`${request.snapshot} ${request.quick ? 'quick' : 'full'}`);
    return engine.engine.verify(place, request, run);
  };
  const world = serviceWorld({ folder, engine, host: { engine: { ...engine.engine, verify } } });
  const first = await backup(world);
  await world.clock.advance(10 * minute);
  expect(await backup(world)).toMatchObject({ state: 'done', unchanged: true, snapshot: first.snapshot });
  expect(looked).toEqual([`${first.snapshot} quick`, `${first.snapshot} quick`]);

  const [sums = ''] = (await keysOf(engine.backend)).filter((key) => key.endsWith('.sha256'));
  await uploadBytes(engine.backend, sums, Buffer.from(`${'0'.repeat(64)}  ${sums.slice(sums.lastIndexOf('/') + 1, -'.sha256'.length)}\n`));
  await world.clock.advance(10 * minute);
  expect(await backup(world)).toMatchObject({
    state: 'failed',
    fault: { code: 'corrupt', message: expect.stringContaining(`the newest snapshot, ${first.snapshot}, is not whole`) as string },
  });
});

describe('a place that fails while the other does not', () => {
  const schedule: ScheduleSettings = { kind: 'daily', at: ['23:00'] };
  const two = { destinations: ['here', 'away'], schedule, keep: { last: 5 }, verify: 'weekly', drill: 'never' } as const;

  /** `away` can be reached once `isUp` says so. What each place was used for, in order. */
  function twoPlaces(): { readonly world: ServiceWorld; readonly used: string[]; readonly line: { isUp: boolean } } {
    const [here, away] = [laterEngine(), laterEngine()];
    const used: string[] = [];
    const line = { isUp: false };
    const nameOf = (place: OpenDestination): string => (place === here.destination ? 'here' : 'away');
    const { engine } = here;
    const world = serviceWorld({
      ...{ folder, engine: here, servers: [{ ...two, destinations: [...two.destinations] }] },
      host: {
        openDestination: (name) => {
          if (name === 'here') return Promise.resolve(here.destination);
          return line.isUp ? Promise.resolve(away.destination) : Promise.reject(new Fault('unavailable', 'the line is down'));
        },
        engine: {
          ...engine,
          backupToAll: (places, request, run) => {
            used.push(`backup ${places.map(nameOf).join(' and ')}`);
            return engine.backupToAll(places, request, run);
          },
          verify: (place, request, run) => {
            used.push(`${request.quick ? 'look' : 'verify'} ${nameOf(place)}`);
            return engine.verify(place, request, run);
          },
          prune: (place, request, run) => {
            used.push(`prune ${nameOf(place)}`);
            return engine.prune(place, request, run);
          },
        },
      },
    });
    return { world, used, line };
  }

  test('is tried again alone; what follows a backup is done where it went well, and the next run goes to both', async () => {
    const { world, used, line } = twoPlaces();
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    const [first, verified] = [world.ended('backup'), world.ended('verify')];
    await world.clock.advance(75 * minute);
    const failed = await first;
    expect(failed).toMatchObject({ state: 'failed', reason: 'schedule', fault: { code: 'unavailable', context: { destination: 'away' } } });
    expect(failed.places).toMatchObject([
      { name: 'here', snapshot: expect.any(String) as string, fault: null },
      { name: 'away', snapshot: null, fault: { code: 'unavailable' } },
    ]);
    expect(await verified).toMatchObject({ destination: 'here', state: 'done', reason: 'follow-up' });
    expect(used.splice(0)).toEqual(['backup here', 'look here', 'prune here', 'verify here']);
    expect(world.service.status('survival')).toMatchObject({ state: 'failed', lastSuccess: null });

    line.isUp = true;
    const [second, other] = [world.ended('backup'), world.ended('verify')];
    await world.clock.advance(30 * minute);
    expect(await second).toMatchObject({ state: 'done', places: [{ name: 'away', fault: null }] });
    await other;
    expect(used.splice(0)).toEqual(['backup away', 'look away', 'prune away', 'verify away']);
    // The oldest of what is there.
    expect(world.service.status('survival')).toMatchObject({ state: 'ok', lastSuccess: failed.startedAt });

    const third = world.ended('backup');
    await world.clock.advance(24 * 60 * minute);
    expect(await third).toMatchObject({ state: 'done', places: [{ name: 'here' }, { name: 'away' }] });
    expect(used[0]).toBe('backup here and away');
    stop.abort();
    await running;
  });

  test('a person who starts a backup by hand gets it everywhere', async () => {
    const { world, used, line } = twoPlaces();
    await backup(world);
    line.isUp = true;
    expect(await backup(world)).toMatchObject({ state: 'done', places: [{ name: 'here' }, { name: 'away' }] });
    expect(used.filter((one) => one.startsWith('backup'))).toEqual(['backup here', 'backup here and away']);
  });

  test('what waiting may mend in one place is tried again soon, whatever another one fails for', () => {
    const wire = (code: FaultCode): Job['fault'] => new Fault(code, code).toWire();
    const places = [
      { name: 'here', snapshot: null, fault: wire('sign-in-needed') },
      { name: 'away', snapshot: null, fault: wire('unavailable') },
    ];
    const job = { kind: 'backup', state: 'failed', startedAt: 1, endedAt: 2, fault: wire('sign-in-needed'), places } as unknown as Job;
    expect(factsAfter({ since: 0, ...noFacts }, job, two.destinations).failures?.mayPass).toBe(true);
  });
});
