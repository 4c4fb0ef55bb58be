import { z } from 'zod';
import type { FaultContext, WireFault } from './faults.ts';

/**
 * What a face can say in its own language, where a fault's code alone says too little: the key of a sentence with the names of what is put into it. The
 * page has the sentences (renderer/words); the service's own, in English, stands beside each as the message.
 */
export const sayings = {
  'place-taken': ['name'],
  'place-used': ['name', 'servers'],
  'place-unknown': ['name'],
  'place-in-folder': ['place', 'folder'],
  'folder-in-place': ['place', 'folder'],
  'password-missing': ['name'],
  'password-given': ['name'],
  'password-not-kept': ['name'],
  'passphrase-wrong': [],
  'server-taken': ['name', 'other'],
  'path-not-whole': ['path'],
  'folder-missing': ['path'],
  'folder-is-file': ['path'],
  'folder-forbidden': ['path'],
  'folder-empty': ['path'],
  'snapshot-gone': [],
  'snapshot-unended': [],
  'target-refused': ['target'],
  'cron-wrong': ['expression'],
  'cron-never': ['expression'],
  'bandwidth-wrong': ['part'],
  'clock-off': ['minutes'],
  'notice-secret-missing': [],
  'notice-address-wrong': [],
  'keychain-locked': [],
  'keychain-same': [],
  'keychain-weak': [],
  'no-settings-in-file': [],
  'sign-in-ended': [],
  'sign-in-unfinished': [],
  'sign-in-elsewhere': [],
  'sign-in-unavailable': ['provider'],
  'client-needed': ['provider'],
  'client-refused': ['provider'],
  'project-in-testing': [],
  'needs-app': [],
  'bucket-missing': [],
  'bucket-name-wrong': [],
  'bucket-elsewhere': [],
  'key-other-bucket': ['bucket'],
  'key-other-names': ['namePrefix'],
  'checksums-refused': [],
  'certificate-wrong': [],
  'upload-ended': [],
  'drive-off': [],
  'drive-day-limit': [],
  'drive-uploads-slowed': [],
  'drive-downloads-limited': [],
  'drive-file-flagged': [],
  'service-silent': [],
  'page-signed-out': [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Saying = keyof typeof sayings;
export type SayingArgs<Key extends Saying> = Readonly<Record<(typeof sayings)[Key][number], string | number>>;

export const saySchema = z.object({
  key: z.enum(Object.keys(sayings) as [Saying, ...Saying[]]),
  args: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Say = z.infer<typeof saySchema>;

/** A sentence with what is put into it. */
export function say<Key extends Saying>(key: Key, args: SayingArgs<Key>): Say {
  return { key, args: { ...args } };
}

/** The same as a fault carries it in its context: the key as `say`, and what is put in under its own names. */
export function saying<Key extends Saying>(key: Key, args: SayingArgs<Key>): FaultContext {
  return { ...args, say: key };
}

/** What a fault can be said with; null where its code says all. */
export function sayOf({ context }: Pick<WireFault, 'context'>): Say | null {
  const key = context['say'];
  if (typeof key !== 'string' || !Object.hasOwn(sayings, key)) return null;
  const names: readonly string[] = sayings[key as Saying];
  return { key: key as Saying, args: Object.fromEntries(names.map((name) => [name, context[name] ?? ''])) };
}
