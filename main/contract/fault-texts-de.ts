import type { FaultText } from './fault-texts.ts';
import type { FaultCode } from './faults.ts';

/** The same in German, for those who do not see a command line: the page and the desktop. */
export const faultTextsInGerman: Readonly<Record<FaultCode, FaultText>> = {
  'not-found': {
    says: 'Das Gesuchte ist nicht da.',
    next: 'Prüfe den Namen und den Sicherungsort.',
  },
  'already-exists': {
    says: 'Etwas mit diesem Namen gibt es schon; es blieb, wie es war.',
    next: 'Wähle einen anderen Namen.',
  },
  'range-invalid': {
    says: 'Eine gespeicherte Datei ist kürzer, als sie sein soll.',
    next: 'Prüfe diesen Stand, um zu sehen, was heil ist.',
  },
  unauthenticated: {
    says: 'Der Sicherungsort hat das Konto nicht angenommen.',
    next: 'Prüfe die Schlüssel in den Einstellungen oder melde dich neu an.',
  },
  'sign-in-needed': {
    says: 'Der Anbieter hat die Anmeldung beendet.',
    next: 'Melde dich neu an, dann wird die Sicherung sofort nachgeholt.',
  },
  'permission-denied': {
    says: 'Das Konto darf das nicht.',
    next: 'Gib ihm das Recht zu lesen, zu schreiben und zu löschen, oder wähle einen anderen Ort.',
  },
  'quota-exceeded': {
    says: 'Der Sicherungsort ist voll.',
    next: 'Schaffe dort Platz oder behalte weniger Stände.',
  },
  'rate-limited': {
    says: 'Der Sicherungsort hat immer wieder um weniger Anfragen gebeten.',
    next: 'Versuche es später; vielleicht nutzen andere Programme dasselbe Konto.',
  },
  unavailable: {
    says: 'Der Sicherungsort antwortet nicht.',
    next: 'Prüfe Netz, Laufwerk oder Kabel.',
  },
  timeout: {
    says: 'Der Sicherungsort antwortet nicht mehr.',
    next: 'Prüfe das Netz. Was fertig war, ist sicher.',
  },
  'wrong-password': {
    says: 'Dieses Passwort öffnet den Sicherungsort nicht.',
    next: 'Prüfe die Feststelltaste oder nimm die Schlüsseldatei.',
  },
  'wrong-key': {
    says: 'Dieser Schlüssel gehört zu einem anderen Sicherungsort.',
    next: 'Nimm die Schlüsseldatei, die für diesen gemacht wurde.',
  },
  corrupt: {
    says: 'Gespeicherte Daten sind beschädigt.',
    next: 'Prüfe die Stände, um zu sehen, was heil ist; vielleicht ist es ein älterer.',
  },
  truncated: {
    says: 'Eine gespeicherte Datei endet zu früh.',
    next: 'Prüfe die Stände, um zu sehen, was heil ist; vielleicht ist es ein älterer.',
  },
  'source-changed': {
    says: 'Während des Lesens hat sich etwas geändert.',
    next: 'Versuche es, wenn sonst nichts dorthin schreibt.',
  },
  'disk-full': {
    says: 'Die Platte ist voll.',
    next: 'Schaffe Platz und versuche es erneut.',
  },
  locked: {
    says: 'Etwas anderes benutzt es gerade.',
    next: 'Beende das Programm, das den Ordner benutzt, oder warte auf den anderen Lauf.',
  },
  'config-invalid': {
    says: 'Eine Einstellung ist so nicht zu gebrauchen.',
    next: 'Die Einzelheiten sagen, welche. Ändere sie und versuche es erneut.',
  },
  unsupported: {
    says: 'Das geht hier nicht.',
    next: 'Die Einzelheiten sagen, warum; eine neuere Version kann es vielleicht.',
  },
  cancelled: {
    says: 'Abgebrochen; nichts Halbes blieb zurück, und was fertig war, bleibt.',
    next: 'Starte es neu, wann du magst.',
  },
  unexpected: {
    says: 'Etwas ist geschehen, womit Holdfast nicht gerechnet hat.',
    next: 'Versuche es erneut; kommt es wieder, melde es mit den Einzelheiten.',
  },
};
