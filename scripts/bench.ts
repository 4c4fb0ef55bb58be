/** `npm run bench`: fetches what is measured against, then measures (tests/bench/run.ts). */
import { provideUnpacked } from './tests/unpacked.ts';

provideUnpacked(true);
await import('../tests/bench/run.ts');
