import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { tempFolder } from './temp-folder.ts';

export interface LocalCertificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** It is trusted no more. */
  readonly forget: () => void;
}

/** For `localhost`, trusted by this process from now on. */
export function localCertificate(): LocalCertificate {
  const folder = tempFolder();
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', '-days', '2', ...name, '-keyout', files.key, '-out', files.cert], {
    stdio: 'ignore',
  });
  const trusted = getCACertificates('default');
  const cert = readFileSync(files.cert);
  setDefaultCACertificates([...trusted, cert.toString('utf8')]);
  return { key: readFileSync(files.key), cert, forget: () => setDefaultCACertificates(trusted) };
}
