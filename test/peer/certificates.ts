/** Certificates of fake peers, made once for a suite. */
import { X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';

export interface TestPair {
  cert: string;
  key: string;
  /** As a peer is pinned by it. */
  pin: string;
}

const DAY_MS = 86_400_000;

export interface CertificateWish {
  ip?: string;
  /** Days from now on. */
  from?: number;
  to?: number;
}

export async function makeCertificate({ ip = '127.0.0.1', from = -1, to = 2 }: CertificateWish = {}): Promise<TestPair> {
  const made = await generate([{ name: 'commonName', value: 'peer' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + from * DAY_MS),
    notAfterDate: new Date(Date.now() + to * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip }] },
    ],
  });
  return { cert: made.cert, key: made.private, pin: new X509Certificate(made.cert).fingerprint256.replaceAll(':', '').toLowerCase() };
}
