/** The name that a client gives a file it sends, in `Content-Disposition`. */
import { SpillwayError } from '../../errors.js';

/** `x.pcap` as public clients send it, or `attachment; filename=x.pcap`, `filename="x.pcap"`. */
export function nameIn(header: string | undefined): string {
  const text = asText(header ?? '').trim();
  if (text === '') throw new SpillwayError('FILE_NAME_INVALID', 'Content-Disposition gives no file name');
  const [isForm] = /^(?:attachment|inline|form-data)\s*;|^filename\s*=/i.exec(text) ?? [];
  if (isForm === undefined) return text;
  const [, quoted, bare] = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]+))/i.exec(text) ?? [];
  const name = quoted?.replace(/\\(.)/g, '$1') ?? bare?.trim();
  if (name === undefined) throw new SpillwayError('FILE_NAME_INVALID', `Content-Disposition ${JSON.stringify(text.slice(0, 80))} gives no filename`);
  return name;
}

/** Headers come as Latin-1; clients that know more characters send UTF-8. */
function asText(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}
