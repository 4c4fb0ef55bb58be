import type { en } from '../en/index.ts';
import { activity } from './activity.ts';
import { faults } from './faults.ts';
import { home } from './home.ts';
import { jobWords } from './job-words.ts';
import { machine } from './machine.ts';
import { place } from './place.ts';
import { restore } from './restore.ts';
import { sayings } from './sayings.ts';
import { settings } from './settings.ts';
import { shared } from './shared.ts';
import { snapshots } from './snapshots.ts';
import { wizard } from './wizard.ts';

export const de = {
  ...activity,
  ...faults,
  ...home,
  ...jobWords,
  ...machine,
  ...place,
  ...restore,
  ...sayings,
  ...settings,
  ...shared,
  ...snapshots,
  ...wizard,
} as const satisfies Readonly<Record<keyof typeof en, string>>;
