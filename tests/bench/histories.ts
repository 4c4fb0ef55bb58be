/**
 * `npm run bench -- --histories [--count=1000] [--seed=1]`: random histories of a folder and its destination, of which the tests play a few. Ends with an
 * error at the first that fails, and says its seed and the shortest history that fails as well.
 */
import { availableParallelism } from 'node:os';
import { runHistories, type Sum } from '../support/histories/run-histories.ts';

const given = (name: string): string | undefined => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
const count = Number(given('count') ?? 1000);
const first = Number(given('seed') ?? Math.floor(Math.random() * 1e9));
const began = performance.now();
const line = ({ histories, runs, cutOff, goneOn, restores }: Readonly<Sum>): string =>
  `${histories} histories, ${runs} backups, ${cutOff} cut off, ${goneOn} that went on with those, ${restores} restores, ${Math.round((performance.now() - began) / 1000)} s`;

process.stdout.write(`Random histories from seed ${first} on …\n`);
const sum = await runHistories(
  Array.from({ length: count }, (_, index) => first + index),
  {
    atOnce: availableParallelism(),
    onPlayed: (played) => {
      if (played.histories % 25 === 0) process.stdout.write(`  ${line(played)}\n`);
    },
  },
);
process.stdout.write(`${line(sum)}: every snapshot that was kept is what its folder was.\n`);
