import { faultTextsInGerman } from './fault-texts-de.ts';
import { isDamage } from './faults.ts';
import type { Notice, NoticeText } from './notices.ts';

type What = NonNullable<Notice['what']>;

const failed: Readonly<Record<What, string>> = {
  backup: 'die Sicherung ist fehlgeschlagen',
  restore: 'das Zurückholen ist fehlgeschlagen',
  verify: 'ein gespeicherter Stand ist nicht, wie er sein soll',
  prune: 'alte Stände konnten nicht entfernt werden',
  drill: 'die Test-Wiederherstellung ist fehlgeschlagen',
  'at-rest': 'es steht noch still',
};

const works: Readonly<Record<What, string>> = {
  backup: 'die Sicherungen gelingen wieder',
  restore: 'das Zurückholen hat geklappt',
  verify: 'die gespeicherten Stände sind heil',
  prune: 'alte Stände werden wieder entfernt',
  drill: 'die Test-Wiederherstellung hat wieder geklappt',
  'at-rest': 'es läuft wieder',
};

/** What a notice says in German, by what it is about: the service's own words are English. */
export function noticeInGerman(notice: Notice): NoticeText {
  const { kind, what = 'backup', name = notice.title } = notice;
  switch (kind) {
    case 'failed':
      return what === 'at-rest' ? stillAtRest(name) : failure(notice, `${name}: ${failedAt(notice, what)}`);
    case 'sign-in-needed':
      return failure({ ...notice, fault: 'sign-in-needed' }, `${name}: eine Anmeldung ist nötig`);
    case 'drill-failed':
      return failure(notice, `${name}: ${failed.drill}`);
    case 'overdue':
      return {
        title: `${name} wird nicht gesichert`,
        text: 'Seit zwei Abständen ist keine Sicherung gelungen.',
        next: 'Sieh nach, ob der Rechner zu den Zeiten des Plans läuft, und starte eine Sicherung von Hand.',
      };
    case 'quota-near':
      return { title: `${name}: der Sicherungsort ist fast voll`, text: '', next: faultTextsInGerman['quota-exceeded'].next };
    case 'recovered':
      return { title: `${name}: ${works[what]}`, text: '', next: '' };
    case 'settings':
      return {
        title: 'Die Einstellungsdatei ist nicht zu gebrauchen',
        text: 'Es gilt weiter, was vorher galt.',
        next: 'Die Seite sagt, was daran falsch ist.',
      };
    case 'test':
      return { title: 'Holdfast: das ist ein Test', text: 'Mitteilungen kommen hier an.', next: '' };
  }
}

function failedAt({ fault }: Notice, what: What): string {
  return what === 'verify' && !isDamage(fault) ? 'die gespeicherten Stände konnten nicht geprüft werden' : failed[what];
}

function failure({ fault, what }: Pick<Notice, 'fault' | 'what'>, title: string): NoticeText {
  if (fault !== undefined) return { title, text: faultTextsInGerman[fault].says, next: faultTextsInGerman[fault].next };
  // Old snapshots that stay are a warning of a backup that is there; all else that has no fault was cut off.
  if (what === 'prune') return { title, text: '', next: 'Neue Stände entstehen trotzdem; die Seite sagt, woran es liegt.' };
  return { title, text: 'Das Programm endete mittendrin.', next: 'Der nächste Lauf macht weiter.' };
}

function stillAtRest(name: string): NoticeText {
  return {
    title: `${name}: ${failed['at-rest']}`,
    text: 'Nach einer Sicherung ließ sich nicht sagen, dass es weitergeht.',
    next: 'Das wird jede Minute wieder versucht; sieh nach, ob der Server läuft und seine Welt speichert, und sag es ihm sonst selbst.',
  };
}
