/**
 * `npm run bench`: fetches what is measured against, then measures (tests/bench/run.ts). With `--million`: a million files, an unchanged run of them beside restic. With
 * `--looking`: one file out of 10 GB, and the commands that only look on 1,000 snapshots. With `--series`: ten changes, beside restic. With
 * `--histories`: a thousand random histories, which measure nothing and must all come out well.
 */
import { provideUnpacked } from './tests/unpacked.ts';

if (process.argv.includes('--million')) {
  provideUnpacked(true);
  await import('../tests/bench/million.ts');
} else if (process.argv.includes('--looking')) await import('../tests/bench/looking.ts');
else if (process.argv.includes('--histories')) await import('../tests/bench/histories.ts');
else {
  provideUnpacked(true);
  await import(process.argv.includes('--series') ? '../tests/bench/series.ts' : '../tests/bench/run.ts');
}
