import type { Language } from '../../contract/app-words.ts';
import { vaultName } from '../archive/vault.ts';

/** What a kit says around what it holds. Commands, names of files and of settings are the same in every language. */
export interface KitWords {
  readonly title: string;
  readonly made: (on: string, host: string) => string;
  readonly place: string;
  readonly withHeading: string;
  readonly withHoldfast: readonly string[];
  readonly withoutHeading: string;
  /** Each step, and what belongs to it on lines of its own. */
  readonly withoutHoldfast: readonly (readonly string[])[];
  readonly vault: string;
  readonly tooLong: string;
  readonly key: string;
  readonly noKey: string;
}

const en: KitWords = {
  title: 'Holdfast recovery kit',
  made: (on, host) => `Made ${on} on ${host}. Keep it away from this computer.`,
  place: 'Backup place (no secrets)',
  withHeading: 'With Holdfast at hand',
  withHoldfast: [
    'Install Holdfast and have the password ready (it is not in this kit).',
    'holdfast snapshots -d DESTINATION',
    'holdfast restore latest -d DESTINATION --server NAME --target FOLDER',
  ],
  withoutHeading: 'Without Holdfast',
  withoutHoldfast: [
    ["Download a server's .holdfast files and the .manifest of the snapshot: it may rest on archives of earlier runs."],
    ['Save the programs at the end of this page as tree.py and open.py, and the vault below as holdfast.vault (base64 -d).'],
    ['The whole tree: python3 tree.py SNAPSHOT.manifest --vault holdfast.vault -o out   (needs python3-cryptography and zstd)'],
    [
      'One archive: python3 open.py SNAPSHOT.holdfast --vault holdfast.vault -o out.zip',
      'It asks for the password. With a recovery key instead:',
      'python3 open.py SNAPSHOT.holdfast --recovery-key HFRK1-... --vault holdfast.vault -o out.zip',
    ],
    ['unzip out.zip; files in pieces, of one run only: cat .holdfast/pieces/NAME@* > NAME'],
  ],
  vault: `Vault records (${vaultName}, base64; worth nothing without the password)`,
  tooLong: 'They are too long for a QR code.',
  key: 'Recovery key: OPENS EVERYTHING WITHOUT THE PASSWORD. Guard it like the data itself.',
  noKey: 'The recovery key is not in this kit; `holdfast kit --recovery-key` puts it in.',
};

const de: KitWords = {
  title: 'Schlüsseldatei von Holdfast',
  made: (on, host) => `Gemacht am ${on} auf ${host}. Bewahre sie nicht auf diesem Rechner auf.`,
  place: 'Sicherungsort (nichts Geheimes)',
  withHeading: 'Mit Holdfast',
  withHoldfast: [
    'Installiere Holdfast und halte das Passwort bereit (es steht nicht in dieser Datei).',
    'holdfast snapshots -d SICHERUNGSORT',
    'holdfast restore latest -d SICHERUNGSORT --server NAME --target ORDNER',
  ],
  withoutHeading: 'Ohne Holdfast',
  withoutHoldfast: [
    ['Lade die .holdfast-Dateien eines Servers und die .manifest-Datei des Standes herunter; er kann auf Archiven früherer Läufe ruhen.'],
    ['Speichere die Programme am Ende dieser Seite als tree.py und open.py, und den Tresor unten als holdfast.vault (base64 -d).'],
    ['Der ganze Ordner: python3 tree.py STAND.manifest --vault holdfast.vault -o out   (braucht python3-cryptography und zstd)'],
    [
      'Ein Archiv: python3 open.py STAND.holdfast --vault holdfast.vault -o out.zip',
      'Es fragt nach dem Passwort. Stattdessen mit einem Wiederherstellungsschlüssel:',
      'python3 open.py STAND.holdfast --recovery-key HFRK1-... --vault holdfast.vault -o out.zip',
    ],
    ['unzip out.zip; Dateien in Stücken, nur eines Laufs: cat .holdfast/pieces/NAME@* > NAME'],
  ],
  vault: `Tresor (${vaultName}, base64; ohne das Passwort nichts wert)`,
  tooLong: 'Er ist zu lang für einen QR-Code.',
  key: 'Wiederherstellungsschlüssel: ER ÖFFNET ALLES OHNE DAS PASSWORT. Hüte ihn wie die Daten selbst.',
  noKey: 'Der Wiederherstellungsschlüssel steht nicht in dieser Datei.',
};

export const kitWords: Readonly<Record<Language, KitWords>> = { en, de };
