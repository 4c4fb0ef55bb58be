import type { CallHandlers } from '../../../main/contract/calls.ts';
import { Fault } from '../../../main/contract/faults.ts';
import { say, saying } from '../../../main/contract/sayings.ts';

const hour = 3_600_000;

type Handlers = Partial<CallHandlers>;

/** What a person meets while setting up: a folder, a place with one thing to mend, a sign-in that waits, a password, a key file. */
export function stagedSetup(now: number): Handlers {
  const nextFour = Math.ceil(now / (4 * hour)) * 4 * hour;
  return {
    'presets.list': async () => [
      { name: 'minecraft', patterns: ['cache/', 'logs/', 'session.lock'] },
      { name: 'steam', patterns: ['**/steamapps/downloading/'] },
    ],
    'schedule.preview': async ({ schedule, count }) => {
      if (schedule.kind === 'cron' && schedule.expression.startsWith('x')) {
        throw new Fault('config-invalid', '“x” is no minute', {
          operation: 'schedule.preview',
          context: saying('cron-wrong', { expression: schedule.expression }),
        });
      }
      const apart = schedule.kind === 'every' ? schedule.hours : schedule.kind === 'weekly' ? 168 : 24;
      return Array.from({ length: count }, (_, index) => nextFour - hour + index * apart * hour);
    },
    'retention.preview': async ({ keep, times }) => {
      const newestFirst = times.toSorted((one, other) => other - one);
      const kept = new Map<number, string[]>();
      const rules = { last: 1, hourly: hour, daily: 24 * hour, weekly: 168 * hour, monthly: 730 * hour, yearly: 8766 * hour };
      for (const [rule, length] of Object.entries(rules)) {
        const count = Number(keep[rule as keyof typeof rules] ?? 0);
        const seen = new Set<number>();
        for (const time of newestFirst) {
          const bucket = Math.floor(time / length);
          if (seen.size >= count || seen.has(bucket)) continue;
          seen.add(bucket);
          kept.set(time, [...(kept.get(time) ?? []), `${rule} snapshot`]);
        }
      }
      const row = (time: number) => ({ id: String(time), time: new Date(time).toISOString() });
      return {
        keep: newestFirst.flatMap((time) => (kept.has(time) ? [{ ...row(time), reasons: kept.get(time) ?? [] }] : [])),
        remove: newestFirst.filter((time) => !kept.has(time)).map(row),
      };
    },
    'folders.list': async ({ path }) => ({
      path: path === '' ? '/srv' : path.replace(/(.)\/$/, '$1'),
      parent: path === '/' ? null : '/',
      folders: ['backup', 'minecraft', 'nextcloud', 'www'].map((name) => ({ name, path: `/srv/${name}`, hidden: false })),
    }),
    'folder.look': async ({ path }) => ({
      ...{ name: 'Lobby', slug: 'lobby', preset: 'minecraft', files: 9_318, bytes: 5e9, whole: true },
      problem: '',
      ...(path.startsWith('/nowhere') ? { problem: `the folder ${path} does not exist`, say: say('folder-missing', { path }) } : {}),
    }),
    'password.judge': async ({ password, language }) => ({
      score: Math.min(4, Math.floor(password.length / 5)),
      warning: password.length > 9 ? '' : language === 'de' ? 'Das ist ein häufiges Passwort.' : 'This is a common password.',
      suggestions: password.length > 9 ? [] : [language === 'de' ? 'Nimm ein, zwei Wörter mehr.' : 'Add another word or two.'],
    }),
    'destination.initialize': async ({ settings }) => {
      const check = (name: string, message: string) => ({ name, ok: true, message, next: '' });
      return [
        check('write', '100000 bytes were written'),
        check('read', '100000 bytes came back as they were'),
        check('range', '12345 bytes came back as they were'),
        check('list', 'what was written is listed'),
        check('overwrite', '100001 bytes came back as they were'),
        check('create once', 'an existing object is not replaced by one that must be new'),
        check('checksum', 'the md5 checksum is right'),
        check('clock', 'the clocks differ by 1 seconds'),
        settings.provider === 's3'
          ? {
              ...{ name: 'delete', ok: false, message: 'deleting is refused', code: 'permission-denied' as const },
              next: 'Allow s3:DeleteObject for this key, then test again.',
            }
          : check('delete', 'what was written could be removed'),
        check('leftovers', 'no unfinished uploads are left'),
      ];
    },
    'destination.add': async ({ name, settings, password }) => {
      if (password.startsWith('wrong')) throw new Fault('wrong-password', 'the password does not open the vault', { operation: 'open' });
      return { name, settings, label: name, secrets: [], hasPassword: true };
    },
    'signIn.start': async () => ({
      ...{ id: 'sign-in-1', expiresAt: now + 5 * 60_000 },
      link: `https://accounts.example/o/oauth2/v2/auth?client_id=1234567890-abc.apps.example&code_challenge=${'k3v9q'.repeat(8)}`,
    }),
    'signIn.get': async ({ id }) => ({ id, state: 'waiting', account: null, fault: null }),
    'signIn.cancel': async () => ({}),
    'kit.make': async ({ name, recoveryKey }) => ({
      html: `<!DOCTYPE html><html lang="en"><head><title>Kit</title><style>h1 { color: #111 }</style></head><body><h1>Holdfast recovery kit</h1><p>${name}${
        recoveryKey ? ', with the recovery key' : ''
      }</p></body></html>`,
      ...{ text: 'Holdfast recovery kit', fileName: `holdfast-recovery-kit-${name}.html` },
    }),
  };
}
