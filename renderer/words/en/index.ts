import { activity } from './activity.ts';
import { faults } from './faults.ts';
import { home } from './home.ts';
import { settings } from './settings.ts';
import { shared } from './shared.ts';

/** Every sentence of the page, in ICU message syntax: one key for a whole sentence, with its plurals. */
export const en = { ...shared, ...faults, ...home, ...activity, ...settings } as const;
