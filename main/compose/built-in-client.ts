import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { SignInProvider } from '../adapters/oauth/providers.ts';

const clientSchema = z.object({ clientId: z.string().min(1), clientSecret: z.string().min(1).exactOptional() });
const packageSchema = z.object({ signIn: z.partialRecord(z.enum(['google-drive', 'dropbox']), clientSchema).exactOptional() });

export type BuiltInClient = z.infer<typeof clientSchema>;

/**
 * The client that whoever makes a build registered with a provider: `signIn` of the build's package.json, where electron-builder's `extraMetadata` puts it
 * (docs/app.md). The sources have none. Undefined where there is none.
 */
export function builtInClient(
  provider: SignInProvider,
  file: URL = new URL('../../package.json', import.meta.url),
): BuiltInClient | undefined {
  return packageSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).signIn?.[provider];
}
