import { xdgAutostart } from '../adapters/system/autostart.ts';
import type { Words } from '../contract/app-words.ts';
import type { Notice } from '../contract/notices.ts';
import type { AppPort, NotificationPort, Ports } from './ports.ts';

/** Whether it starts with the person's session; sets it first where that is given. */
export type Autostart = (on?: boolean) => Promise<boolean>;

const hiddenArgument = '--hidden';

/** By the person's session, not by the person: no window is shown. macOS passes no arguments on. */
export function isStartedBySession(app: AppPort, argv: readonly string[]): boolean {
  return argv.includes(hiddenArgument) || app.getLoginItemSettings().wasOpenedAtLogin;
}

/** By Electron on macOS and Windows; elsewhere by a file. An AppImage runs from a mount that is gone later: it is started by its own path. */
export function autostartOf(app: AppPort, { platform, env, execPath }: Pick<NodeJS.Process, 'platform' | 'env' | 'execPath'>): Autostart {
  if (platform !== 'darwin' && platform !== 'win32') return xdgAutostart({ env, command: [env['APPIMAGE'] ?? execPath, hiddenArgument] });
  return async (on) => {
    if (on !== undefined) app.setLoginItemSettings({ openAtLogin: on, args: [hiddenArgument] });
    return app.getLoginItemSettings({ args: [hiddenArgument] }).openAtLogin;
  };
}

export async function pickFolder(dialog: Ports['dialog']): Promise<string | null> {
  const { canceled, filePaths } = await dialog.showOpenDialog({ properties: ['openDirectory', 'createDirectory'] });
  return canceled ? null : (filePaths[0] ?? null);
}

export interface NoticeActions {
  /** `path` left out: the page stays where it is, with what somebody types there. */
  readonly open: (path?: string) => void;
  readonly backUp: (slug: string) => void;
  /** The backup place that a server waits to be signed in with, where that is known. */
  readonly placeOf: (slug: string) => string | undefined;
}

/** Shows a notice on the desktop, with what can be done about it. */
export function noticeShower(create: Ports['createNotification'], words: () => Words, act: NoticeActions): (notice: Notice) => void {
  // Nobody else holds them, and one that is collected hears no click.
  const shown = new Set<NotificationPort>();
  return (notice) => {
    const { kind, server } = notice;
    const { title, text, next } = words().noticed(notice);
    const mayBackUp = server !== '' && (kind === 'failed' || kind === 'overdue');
    const action = mayBackUp ? words().backUp : kind === 'sign-in-needed' ? words().signIn : words().show;
    const body = [text, next].filter((part) => part !== '').join('\n');
    const notification = create({ title, body, actions: [{ type: 'button', text: action }] });
    notification.on('click', () => act.open());
    notification.on('action', () => {
      if (mayBackUp) return act.backUp(server);
      const place = kind === 'sign-in-needed' ? act.placeOf(server) : undefined;
      act.open(place === undefined ? undefined : `settings/place/${encodeURIComponent(place)}/sign-in`);
    });
    notification.on('close', () => shown.delete(notification));
    shown.add(notification);
    notification.show();
  };
}
