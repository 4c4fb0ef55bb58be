import type { en } from '../en/index.ts';
import { faults } from './faults.ts';
import { home } from './home.ts';
import { shared } from './shared.ts';

export const de = { ...shared, ...faults, ...home } as const satisfies Readonly<Record<keyof typeof en, string>>;
