/** Display filters as programs, beside those of other languages. */
import { compileText, type FilterText } from '../filter/languages.js';
import { translateWireshark } from '../filter/wireshark/wireshark.js';
import { expectedLinkTypes, Filters } from './filters.js';

/** All filters as programs; null where one of the display filters can only be answered by tshark. */
export async function translated(
  native: readonly FilterText[],
  display: readonly string[],
  linkTypes: readonly number[],
  interfaceComment: string | undefined,
): Promise<Filters | null> {
  const expected = expectedLinkTypes(linkTypes);
  if (!display.every((text) => expected.every((linkType) => translateWireshark(text, linkType) !== null))) return null;
  const texts = display.map((text) => ({ language: 'wireshark' as const, text }));
  const filters = new Filters([...native, ...texts], compileText, interfaceComment);
  for (const linkType of expected) await filters.compileFor(linkType);
  return filters;
}
