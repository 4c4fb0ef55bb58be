import { faultTextsInGerman } from './fault-texts-de.ts';
import { nextStep } from './fault-texts.ts';
import type { WireFault } from './faults.ts';
import { noticeInGerman } from './notice-words-de.ts';
import type { Notice, NoticeText } from './notices.ts';

export type Language = 'en' | 'de';

/** What the app itself says, around the page: tray, menu, questions. UI.md §5 has the rules. */
const en = {
  starting: 'starting',
  none: 'nothing is backed up yet',
  ok: (all: number) => (all === 1 ? 'your server is safe' : `all ${all} are safe`),
  fresh: (some: number, all: number) => (some === all ? 'not backed up yet' : `${some} of ${all} not backed up yet`),
  needYou: (some: number, all: number) => `${some} of ${all} ${some === 1 ? 'needs' : 'need'} you`,
  late: (some: number, all: number) => `${some} of ${all} late`,
  running: (name: string) => `at work on ${name}`,
  paused: (some: number, all: number) => `${some} of ${all} paused`,
  backUp: 'Back up now',
  restore: 'Restore latest',
  open: 'Open Holdfast',
  snapshots: 'Snapshots…',
  pause: 'Pause',
  hour: 'For one hour',
  tomorrow: 'Until tomorrow 08:00',
  untilResumed: 'Until I resume it',
  resume: 'Resume',
  settings: 'Settings…',
  quit: 'Quit',
  show: 'Show',
  signIn: 'Sign in',
  quitQuestion: (name: string) => `Holdfast is at work on ${name}. Quit all the same?`,
  quitDetail: 'What is finished is kept, and the next start takes up the rest. Until then nothing is backed up.',
  stay: 'Keep running',
  cannotStart: 'Holdfast cannot start',
  notDone: 'That did not work',
  noticed: ({ title, text, next }: Notice): NoticeText => ({ title, text, next }),
  /** What happened and what to do, each a paragraph. */
  failed: (fault: WireFault): readonly string[] => [fault.message, nextStep(fault)],
};

export type Words = typeof en;

const keychainLocked = { says: 'Der Schlüsselbund ist gesperrt.', next: 'Öffne ihn, dann läuft sofort, was auf ihn wartet.' };

const de: Words = {
  starting: 'startet',
  none: 'noch wird nichts gesichert',
  ok: (all) => (all === 1 ? 'dein Server ist gesichert' : `alle ${all} sind gesichert`),
  fresh: (some, all) => (some === all ? 'noch nicht gesichert' : `${some} von ${all} noch nicht gesichert`),
  needYou: (some, all) => `${some} von ${all} ${some === 1 ? 'braucht' : 'brauchen'} dich`,
  late: (some, all) => `${some} von ${all} verspätet`,
  running: (name) => `arbeitet an ${name}`,
  paused: (some, all) => `${some} von ${all} pausiert`,
  backUp: 'Jetzt sichern',
  restore: 'Letzten Stand zurückholen',
  open: 'Holdfast öffnen',
  snapshots: 'Stände…',
  pause: 'Pausieren',
  hour: 'Für eine Stunde',
  tomorrow: 'Bis morgen 08:00',
  untilResumed: 'Bis ich fortsetze',
  resume: 'Fortsetzen',
  settings: 'Einstellungen…',
  quit: 'Beenden',
  show: 'Zeigen',
  signIn: 'Anmelden',
  quitQuestion: (name) => `Holdfast arbeitet gerade an ${name}. Trotzdem beenden?`,
  quitDetail: 'Was fertig ist, bleibt; den Rest holt der nächste Start nach. Bis dahin wird nichts gesichert.',
  stay: 'Weiterlaufen lassen',
  cannotStart: 'Holdfast kann nicht starten',
  notDone: 'Das hat nicht geklappt',
  noticed: noticeInGerman,
  // What the service says of it is English: it stands last, as details.
  failed: ({ code, message, context }) => {
    const isKeychain = code === 'locked' && context['keychain'] !== undefined;
    const { says, next } = isKeychain ? keychainLocked : faultTextsInGerman[code];
    return [says, next, `Einzelheiten (auf Englisch): ${message}`];
  },
};

export const wordsIn: Readonly<Record<Language, Words>> = { en, de };

export function languageOf(locale: string): Language {
  return locale.toLowerCase().startsWith('de') ? 'de' : 'en';
}

/** In the language that was chosen, else in the desktop's. */
export function wordsOf(chosen: Language | 'system', locale: string): Words {
  return wordsIn[chosen === 'system' ? languageOf(locale) : chosen];
}
