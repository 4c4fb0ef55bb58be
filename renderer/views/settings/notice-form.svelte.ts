import type { NoticeTarget } from '../../../main/contract/notices.ts';
import type { CallInput } from '../../../main/contract/calls.ts';

export type NoticeKind = NoticeTarget['kind'];

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
