import type { en } from '../en/index.ts';
import { activity } from './activity.ts';
import { faults } from './faults.ts';
import { home } from './home.ts';
import { settings } from './settings.ts';
import { shared } from './shared.ts';

export const de = { ...shared, ...faults, ...home, ...activity, ...settings } as const satisfies Readonly<Record<keyof typeof en, string>>;
