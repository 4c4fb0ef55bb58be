import { Fault } from '../../contract/faults.ts';
import type { Notice, NoticeTarget } from '../../contract/notices.ts';
import type { Secrets } from '../../engine/service/settings-ports.ts';
import { needed, post } from './post.ts';

/** What shows notices on the desktop, where the host has one. */
export type ShowOnDesktop = (notice: Notice) => Promise<void>;

/** Sends a notice where its target says. A fault that is `temporary` is worth another try; its message never holds the target's secrets. */
export async function deliverNotice(
  target: NoticeTarget,
  secrets: Secrets,
  notice: Notice,
  signal: AbortSignal,
  desktop: ShowOnDesktop | null,
): Promise<void> {
  switch (target.kind) {
    case 'webhook':
      return await post(needed(secrets, 'url', target), JSON.stringify(notice), { 'content-type': 'application/json' }, signal);
    case 'discord':
      return await post(needed(secrets, 'url', target), discordBody(notice), { 'content-type': 'application/json' }, signal);
    case 'ntfy': {
      // As JSON to the server's root (ntfy's publishing as JSON): headers carry no letters beyond ASCII.
      const body = {
        topic: target.topic,
        title: notice.title,
        message: textOf(notice),
        priority: urgent(notice) ? 4 : 3,
        tags: [tagOf(notice)],
      };
      const { token } = secrets;
      const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
      return await post(target.server, JSON.stringify(body), headers, signal);
    }
    case 'email': {
      const { sendMail } = await import('./mail.ts');
      return await sendMail(target, secrets['password'], notice, signal);
    }
    case 'ping':
      // It is asked for as a test only; what else it is told are the starts and ends of backups.
      return await post(needed(secrets, 'url', target), textOf(notice), {}, signal);
    case 'desktop':
      if (desktop !== null) return await desktop(notice);
      throw new Fault('unsupported', 'the service has no desktop to show notices on; the tray application has', { operation: 'notify' });
  }
}

/** The cause and the next step, below the title. */
export function textOf({ text, next, repeats }: Notice): string {
  const again = repeats === 0 ? '' : `This came up ${repeats} more ${repeats === 1 ? 'time' : 'times'} since you were told.`;
  return [text, next, again].filter((part) => part !== '').join('\n');
}

/** Discord takes 2000 characters; mentions in what others have named must not call anybody. */
function discordBody(notice: Notice): string {
  const content = `**${notice.title}**\n${textOf(notice)}`.slice(0, 1900);
  return JSON.stringify({ content, allowed_mentions: { parse: [] } });
}

function urgent({ kind }: Notice): boolean {
  return kind !== 'recovered' && kind !== 'test';
}

function tagOf({ kind }: Notice): string {
  return kind === 'recovered' || kind === 'test' ? 'white_check_mark' : 'warning';
}
