/** The judge itself: it fails where it should. */
import { describe, expect, it } from 'vitest';
import { Agreement } from './agreement.js';

const LISTED = 'slip-bad-direction.pcap outbound';

describe('an agreement', () => {
  it('fails on a row that differs and is not listed', () => {
    const agreement = new Agreement('without a list');
    agreement.row('a', null);
    expect(() => agreement.conclude()).not.toThrow();
    agreement.equal('b', { packets: 1, digest: 'x' }, { packets: 2, digest: 'x' });
    expect(() => agreement.conclude()).toThrow(/1 rows differ/);
  });
  it('fails on too few rows', () => {
    expect(() => new Agreement('without a list').conclude()).toThrow();
  });
  it('fails on a listed row that agrees, or is not there', () => {
    const agreement = new Agreement('bpf-apply');
    agreement.row(LISTED, null);
    expect(() => agreement.conclude()).toThrow(/known differences that do not differ/);
  });
});
