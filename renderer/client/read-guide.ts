import { CallFault } from './call.ts';

/** The text that leads through setting up an account, which is English. Faults: CallFault, with unavailable (nobody answers, or not with a guide). */
export async function readGuide(provider: 'google-drive' | 'dropbox', signal: AbortSignal): Promise<string> {
  const reply = await fetch(`/setup/${provider}.md`, { signal }).catch((error: unknown) => missing(String(error)));
  return reply.ok ? await reply.text() : missing(`status ${reply.status}`);
}

function missing(why: string): never {
  const message = `the guide did not come (${why})`;
  throw new CallFault({
    code: 'unavailable',
    persistence: 'temporary',
    operation: 'read the guide',
    message,
    context: { say: 'service-silent' },
  });
}
