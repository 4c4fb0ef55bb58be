import type { Words } from '../contract/app-words.ts';
import type { ServerStatus } from '../contract/server-status.ts';
import { statusLine, type TrayState } from '../contract/standing.ts';
import type { MenuEntry, ThemePort } from './ports.ts';

/** macOS colours a template itself; elsewhere there is one for light bars and one for dark ones. */
export function trayImage(folder: string, state: TrayState, platform: NodeJS.Platform, theme: ThemePort): string {
  if (platform === 'darwin') return `${folder}/${state}Template.png`;
  const isDark = platform === 'win32' ? theme.shouldUseDarkColorsForSystemIntegratedUI : theme.shouldUseDarkColors;
  return `${folder}/${state}-${isDark ? 'dark' : 'light'}-${platform === 'win32' ? 16 : 22}.png`;
}

export interface MenuActions {
  readonly backUp: (slug: string) => void;
  readonly open: (path?: string) => void;
  /** Milliseconds since 1970; 0: until resumed. */
  readonly pause: (until: number) => void;
  readonly resume: () => void;
  readonly quit: () => void;
  readonly now: () => number;
}

const hourMs = 3_600_000;

export function menuOf(servers: readonly ServerStatus[] | null, words: Words, actions: MenuActions): MenuEntry[] {
  const all = servers ?? [];
  const each = (click: (slug: string) => void): MenuEntry[] =>
    all.map(({ settings }) => ({ label: literal(settings.name), click: () => click(settings.slug) }));
  const isPaused = all.some(({ pausedUntil }) => pausedUntil !== null);
  const between: MenuEntry = { type: 'separator' };
  return [
    { label: literal(statusLine(servers, words)), enabled: false },
    { label: words.open, click: () => actions.open() },
    between,
    { label: words.backUp, enabled: all.length > 0, submenu: each(actions.backUp) },
    { label: words.restore, enabled: all.length > 0, submenu: each((slug) => actions.open(`restore/${slug}`)) },
    { label: words.snapshots, click: () => actions.open('snapshots') },
    {
      label: words.pause,
      enabled: all.length > 0,
      submenu: [
        { label: words.hour, click: () => actions.pause(actions.now() + hourMs) },
        { label: words.tomorrow, click: () => actions.pause(tomorrow(actions.now())) },
        { label: words.untilResumed, click: () => actions.pause(0) },
        between,
        { label: words.resume, enabled: isPaused, click: actions.resume },
      ],
    },
    between,
    { label: words.settings, click: () => actions.open('settings') },
    { label: words.quit, click: actions.quit },
  ];
}

/** As a menu shows it as it is: one & alone marks the key of an entry, and is not shown. */
const literal = (text: string): string => text.replaceAll('&', '&&');

/** 08:00 of the next day, as this computer's clock on the wall has it. */
function tomorrow(now: number): number {
  const time = new Date(now);
  time.setDate(time.getDate() + 1);
  return time.setHours(8, 0, 0, 0);
}
