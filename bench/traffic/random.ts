/** xoshiro128** by Blackman and Vigna, seeded through splitmix32: the same seed gives the same words on every machine. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number) {
    let state = seed >>> 0;
    const word = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) | 0;
    };
    this.a = word();
    this.b = word();
    this.c = word();
    this.d = word() | 1; // all four zero would be a fixed point
  }

  /** 32 random bits, unsigned. */
  next(): number {
    const product = Math.imul(this.b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result >>> 0;
  }

  /** Evenly from `[0, bound)`; the bias of at most bound / 2^32 does not matter here. */
  below(bound: number): number {
    return Math.floor((this.next() / 4294967296) * bound);
  }

  /** Evenly from `[low, high]`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
}
