/**
 * `npm run bench`: fetches what is measured against, then measures (tests/bench/run.ts). With `--million`: a million files, an unchanged run of them beside restic. With
 * `--looking`: one file out of 10 GB, and the commands among 1,000 snapshots. With `--series`: ten changes, beside restic. With
 * `--going-on`: backups over S3 that are killed and run again, by their requests. With
 * `--clouds-memory`: what whole commands hold in memory, on each of the four clouds. With `--histories`: a thousand random histories, which measure nothing and must all come out well.
 */
import { provideUnpacked } from './tests/unpacked.ts';

if (process.argv.includes('--million')) {
  provideUnpacked(true);
  await import('../tests/bench/million.ts');
} else if (process.argv.includes('--looking')) await import('../tests/bench/looking.ts');
else if (process.argv.includes('--histories')) {
  if (process.argv.includes('--over=s3')) provideUnpacked(true);
  await import('../tests/bench/histories.ts');
} else if (process.argv.includes('--clouds-memory')) {
  provideUnpacked(true);
  await import('../tests/bench/clouds-memory.ts');
} else {
  provideUnpacked(true);
  if (process.argv.includes('--series')) await import('../tests/bench/series.ts');
  else await import(process.argv.includes('--going-on') ? '../tests/bench/going-on.ts' : '../tests/bench/run.ts');
}
