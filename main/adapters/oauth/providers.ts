import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';

export type SignInProvider = 'google-drive' | 'dropbox';

export interface OAuthProvider {
  readonly label: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  /** Added to the address that the browser opens. */
  readonly authorizeParameters: Readonly<Record<string, string>>;
  /** Dropbox takes only addresses that were registered to the letter; Google any port of loopback. */
  readonly fixedRedirect: { readonly port: number; readonly path: string } | null;
  readonly setupPage: string;
}

const table: Readonly<Record<SignInProvider, OAuthProvider>> = {
  // Google: "OAuth 2.0 for Mobile & Desktop Apps".
  'google-drive': {
    label: 'Google',
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    scopes: ['https://www.googleapis.com/auth/drive.file'],
    // Without `consent` a second sign-in brings no refresh token.
    authorizeParameters: { access_type: 'offline', prompt: 'consent' },
    fixedRedirect: null,
    setupPage: 'docs/setup/google-drive.md',
  },
  // Dropbox: "OAuth Guide".
  dropbox: {
    label: 'Dropbox',
    authorizeUrl: 'https://www.dropbox.com/oauth2/authorize',
    tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
    scopes: ['account_info.read', 'files.metadata.read', 'files.metadata.write', 'files.content.read', 'files.content.write'],
    authorizeParameters: { token_access_type: 'offline' },
    fixedRedirect: { port: 53_682, path: '/' },
    setupPage: 'docs/setup/dropbox.md',
  },
};

/** `endpoint`, for tests: takes the place of the provider's hosts. */
export function oauthProvider(name: SignInProvider, endpoint?: string): OAuthProvider {
  const provider = table[name];
  if (endpoint === undefined) return provider;
  const moved = (url: string): string => endpoint + new URL(url).pathname;
  return { ...provider, authorizeUrl: moved(provider.authorizeUrl), tokenUrl: moved(provider.tokenUrl) };
}

export function isSignInProvider(provider: string): provider is SignInProvider {
  return Object.hasOwn(table, provider);
}

/** Bring your own client: this build brings none. */
export function missingClient(provider: OAuthProvider, variable: string): Fault {
  return new Fault('config-invalid', `a client id of your own is needed to sign in with ${provider.label}`, {
    operation: 'sign in',
    context: {
      ...saying('client-needed', { provider: provider.label }),
      next: `${provider.setupPage} leads to one; give it with --client-id or ${variable}.`,
    },
  });
}
