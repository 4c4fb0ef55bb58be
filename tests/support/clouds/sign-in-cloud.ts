import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdirSync } from 'node:fs';
import { startDropboxServer } from './dropbox/server.ts';
import { startDriveServer } from './google-drive/server.ts';
import { startOAuthServer, type OAuthServer } from './oauth/server.ts';
import { closed, listening } from './serve.ts';

export interface SignInCloud {
  readonly oauth: OAuthServer;
  /** Of the cloud and of its sign-in, as the variables `HOLDFAST_…_ENDPOINT` take it. */
  readonly address: string;
  close(): Promise<void>;
}

/** A strict cloud behind one address with its sign-in. `folder` is made for what it keeps. */
export async function startSignInCloud(provider: 'google-drive' | 'dropbox', folder: string): Promise<SignInCloud> {
  mkdirSync(folder);
  const oauth = await startOAuthServer();
  const server = await (provider === 'dropbox' ? startDropboxServer : startDriveServer)({ folder, authority: oauth });
  const front = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (!oauth.handle(request, response)) server.handle(request, response);
  });
  return {
    oauth,
    address: `http://127.0.0.1:${String(await listening(front))}`,
    async close() {
      await closed(front);
      await server.close();
      await oauth.close();
    },
  };
}
