import type { NoticeTarget } from '../../../main/contract/notices.ts';
import type { CallInput } from '../../../main/contract/calls.ts';

export type NoticeKind = NoticeTarget['kind'];
export type NoticeField = 'name' | 'topic' | 'server' | 'host' | 'port' | 'from' | 'to' | 'secret';
export type NoticeProblem = 'notice.missing' | 'notice.name.help' | 'notice.wrong.server' | 'notice.wrong.port' | 'notice.wrong.mail';

/** What no mail could be sent to is told; the rest the mail server says. */
function isMail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text.trim());
}

/** What is typed in for a notice, as text until it is sent. */
export class NoticeForm {
  kind = $state<NoticeKind>('ntfy');
  name = $state('');
  /** Of webhook, discord and ping: the address; of ntfy the token; of e-mail the password. */
  secret = $state('');
  server = $state('https://ntfy.sh');
  topic = $state('');
  host = $state('');
  port = $state('587');
  security = $state<'tls' | 'starttls' | 'none'>('starttls');
  user = $state('');
  from = $state('');
  to = $state('');

  constructor(target: NoticeTarget | null) {
    if (target === null) return;
    this.kind = target.kind;
    this.name = target.name;
    if (target.kind === 'ntfy') {
      this.server = target.server;
      this.topic = target.topic;
    }
    if (target.kind === 'email') {
      this.host = target.host;
      this.port = String(target.port);
      this.security = target.security;
      this.user = target.user ?? '';
      this.from = target.from;
      this.to = target.to.join(', ');
    }
  }

  get secretName(): 'url' | 'token' | 'password' | null {
    const names = { webhook: 'url', discord: 'url', ping: 'url', ntfy: 'token', email: 'password', desktop: null } as const;
    return names[this.kind];
  }

  /** What is missing or cannot be, by its field. `kept`: its secret is there already. */
  problems(kept: boolean): Partial<Record<NoticeField, NoticeProblem>> {
    const of = (text: string, fits: boolean, otherwise: NoticeProblem): NoticeProblem | undefined =>
      text.trim() === '' ? 'notice.missing' : fits ? undefined : otherwise;
    const all: Partial<Record<NoticeField, NoticeProblem | undefined>> = {
      name: of(this.name, /^[a-z0-9][a-z0-9-]{0,62}$/.test(this.name.trim()), 'notice.name.help'),
    };
    if (this.kind === 'ntfy') {
      all.topic = of(this.topic, true, 'notice.missing');
      all.server = of(this.server, /^https?:$/.test(URL.parse(this.server.trim())?.protocol ?? ''), 'notice.wrong.server');
    } else if (this.kind === 'email') {
      const port = Number(this.port);
      all.host = of(this.host, true, 'notice.missing');
      all.port = of(this.port, Number.isInteger(port) && port >= 1 && port <= 65_535, 'notice.wrong.port');
      all.from = of(this.from, isMail(this.from), 'notice.wrong.mail');
      all.to = of(
        this.to,
        this.to.split(',').every((one) => one.trim() === '' || isMail(one)),
        'notice.wrong.mail',
      );
    } else if (this.kind !== 'desktop' && !kept) {
      all.secret = of(this.secret, true, 'notice.missing');
    }
    return Object.fromEntries(Object.entries(all).filter(([, problem]) => problem !== undefined));
  }

  /** As the call notice.set takes it. `before`: what it takes the place of, whose choice of servers and kinds stays. */
  request(before: NoticeTarget | null): CallInput<'notice.set'> {
    const name = this.name.trim();
    const common = {
      name,
      ...(before?.servers === undefined ? {} : { servers: before.servers }),
      ...(before?.only === undefined ? {} : { only: before.only }),
    };
    const { secretName } = this;
    const secrets = secretName === null || this.secret === '' ? {} : { [secretName]: this.secret };
    return { target: this.#target(common), secrets, isNew: before === null };
  }

  #target(common: Pick<NoticeTarget, 'name' | 'servers' | 'only'>): CallInput<'notice.set'>['target'] {
    switch (this.kind) {
      case 'ntfy':
        return { kind: 'ntfy', ...common, server: this.server.trim(), topic: this.topic.trim() };
      case 'email': {
        const to = this.to.split(',').map((address) => address.trim());
        const user = this.user.trim();
        return {
          ...{ kind: 'email', ...common, host: this.host.trim(), port: Number(this.port), security: this.security },
          ...{ from: this.from.trim(), to: to.filter((address) => address !== '') },
          ...(user === '' ? {} : { user }),
        };
      }
      case 'webhook':
      case 'discord':
      case 'ping':
      case 'desktop':
        return { kind: this.kind, ...common };
    }
  }
}
