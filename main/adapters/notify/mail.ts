import { createTransport } from 'nodemailer';
import { Fault } from '../../contract/faults.ts';
import type { Notice, NoticeTarget } from '../../contract/notices.ts';
import { textOf } from './deliver.ts';

type MailTarget = Extract<NoticeTarget, { kind: 'email' }>;

const patienceMs = 15_000;

/** One mail over SMTP. STARTTLS is demanded unless the settings say otherwise: a password never goes in the clear to another computer. */
export async function sendMail(target: MailTarget, password: string | undefined, notice: Notice, signal: AbortSignal): Promise<void> {
  const { host, port, security, user, from, to } = target;
  if (security === 'none' && !['127.0.0.1', '::1', 'localhost'].includes(host)) {
    throw new Fault('config-invalid', `mail to ${host} would not be encrypted`, {
      operation: 'notify',
      context: { next: 'Set its security to starttls or tls.' },
    });
  }
  const transport = createTransport({
    ...{ host, port, secure: security === 'tls', requireTLS: security === 'starttls', ignoreTLS: security === 'none' },
    ...{ connectionTimeout: patienceMs, greetingTimeout: patienceMs, socketTimeout: patienceMs },
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    // What a server's folder is called must not reach for files or addresses.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  const stop = (): void => transport.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await transport.sendMail({ from, to: [...to], subject: oneLine(notice.title), text: `${textOf(notice)}\n` });
  } catch (error) {
    throw mailFault(error, host);
  } finally {
    signal.removeEventListener('abort', stop);
    transport.close();
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function mailFault(error: unknown, host: string): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const status = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0;
  const context = { host, reason: code };
  if (code === 'EAUTH') {
    return new Fault('unauthenticated', `the mail server ${host} refused the account`, {
      operation: 'notify',
      context: { ...context, next: 'Check the user and the password; many providers want an app password.' },
      cause: error,
    });
  }
  const permanent = status >= 500 || code === 'ETLS' || code === 'EENVELOPE';
  return new Fault(permanent ? 'config-invalid' : 'unavailable', `the mail server ${host} did not take the message`, {
    operation: 'notify',
    context,
    cause: error,
  });
}
