/** `npm run bench`: fetches what is measured against, then measures (tests/bench/run.ts). With `--million`: a million files, beside nothing. */
import { provideUnpacked } from './tests/unpacked.ts';

if (process.argv.includes('--million')) await import('../tests/bench/million.ts');
else {
  provideUnpacked(true);
  await import('../tests/bench/run.ts');
}
