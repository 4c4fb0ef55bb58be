import { join, resolve } from 'node:path';
import type { Language } from '../contract/app-words.ts';
import type { Rectangle } from './ports.ts';

/** What the app itself remembers (electron-store). Servers and destinations stay in the file that all hosts share. */
export interface AppSettings {
  /** Of the window when it was last opened wide. */
  readonly bounds: Rectangle | null;
  /** `system`: the language of the desktop. */
  readonly language: Language | 'system';
  readonly theme: 'system' | 'light' | 'dark';
}

export const appDefaults: AppSettings = { bounds: null, language: 'system', theme: 'system' };

/** Where Electron keeps what is its own: apart from the settings, and for each folder of settings another. */
export function userDataOf(env: Readonly<Record<string, string | undefined>>, appData: string): string {
  const own = env['HOLDFAST_CONFIG_DIR'] ?? '';
  return own === '' ? join(appData, 'holdfast-app') : join(resolve(own), 'app');
}

export interface SettingsPort {
  get<Name extends keyof AppSettings>(name: Name): AppSettings[Name];
  set<Name extends keyof AppSettings>(name: Name, value: AppSettings[Name]): void;
}
