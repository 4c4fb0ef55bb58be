import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { tempFolder } from './temp-folder.ts';

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** `altName`: whom it is for, as openssl writes it. */
export function makeCertificate(altName = 'DNS:localhost'): Certificate {
  const folder = tempFolder();
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const name = ['-subj', '/CN=tests', '-addext', `subjectAltName=${altName}`];
  const out = ['-keyout', files.key, '-out', files.cert];
  execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', '-days', '2', ...name, ...out], { stdio: 'ignore' });
  return { key: readFileSync(files.key), cert: readFileSync(files.cert) };
}

/** This process trusts it, until what is answered is called. */
export function trust({ cert }: Certificate): () => void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, cert.toString('utf8')]);
  return () => setDefaultCACertificates(before);
}

export interface LocalCertificate extends Certificate {
  /** It is trusted no more. */
  readonly forget: () => void;
}

/** For `localhost`, trusted by this process from now on. */
export function localCertificate(): LocalCertificate {
  const certificate = makeCertificate();
  return { ...certificate, forget: trust(certificate) };
}
