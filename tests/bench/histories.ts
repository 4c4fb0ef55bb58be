/**
 * `npm run bench -- --histories [--count=1000] [--seed=1] [--over=s3]`: random histories of a folder and its destination, of which the tests play a few, in memory or
 * over S3 (OpenStack Swift) with the number of requests. Ends with an error at the first that fails, and says its seed and the shortest history that fails as well.
 */
import { availableParallelism } from 'node:os';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { runHistories, type Sum } from '../support/histories/run-histories.ts';
import { setup as giveRunFolder } from '../support/run-folder.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { startS3FaultProxy } from '../support/s3/faults.ts';
import { startSwift, swiftMissing } from '../support/s3/swift.ts';

interface Place {
  /** Empty ones. */
  readonly destination?: () => Backend;
  requests(): number;
  close(): Promise<void>;
}

async function overS3(): Promise<Place> {
  if (swiftMissing !== '') throw new Error(swiftMissing);
  const swift = await startSwift();
  const bucket = await makeBucket(swift.endpoint);
  const proxy = await startS3FaultProxy(swift.port, () => null);
  return {
    destination: () => freshPlace(proxy.endpoint, bucket),
    requests: () => proxy.seen.length,
    close: async () => {
      await proxy.close();
      swift.stop();
    },
  };
}

const inMemory: Place = { requests: () => 0, close: () => Promise.resolve() };

const given = (name: string): string | undefined => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
const count = Number(given('count') ?? 1000);
const first = Number(given('seed') ?? Math.floor(Math.random() * 1e9));
const over = given('over') ?? 'memory';
if (!['memory', 's3'].includes(over)) throw new Error(`--over=${over} is not known: memory or s3`);
const removeRunFolder = giveRunFolder();
const place = over === 's3' ? await overS3() : inMemory;
const began = performance.now();
const line = ({ histories, runs, cutOff, goneOn, unchanged, restores }: Readonly<Sum>): string =>
  `${histories} histories, ${runs} backups, ${cutOff} cut off, ${goneOn} that went on with those, ${unchanged} that found nothing changed, ${restores} restores, ` +
  `${over === 's3' ? `${place.requests()} requests, ` : ''}${Math.round((performance.now() - began) / 1000)} s`;

process.stdout.write(`Random histories from seed ${first} on …\n`);
try {
  const sum = await runHistories(
    Array.from({ length: count }, (_, index) => first + index),
    {
      // Over S3 a run waits for the server most of the time.
      atOnce: availableParallelism() * (over === 's3' ? 2 : 1),
      onPlayed: (played) => {
        if (played.histories % (over === 's3' ? 5 : 25) === 0) process.stdout.write(`  ${line(played)}\n`);
      },
      ...(place.destination === undefined ? {} : { destination: place.destination }),
    },
  );
  process.stdout.write(`${line(sum)}: every snapshot that was kept is what its folder was.\n`);
} finally {
  await place.close();
  removeRunFolder();
}
