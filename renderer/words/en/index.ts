import { faults } from './faults.ts';
import { home } from './home.ts';
import { shared } from './shared.ts';

/** Every sentence of the page, in ICU message syntax: one key for a whole sentence, with its plurals. */
export const en = { ...shared, ...faults, ...home } as const;
