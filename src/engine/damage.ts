/** Damage in a source: every whole packet before it is used, and where it is known what follows, that too. */
export interface Damage {
  file: string;
  offsetBytes: number;
  reason: string;
  /** That were in what can't be read; where that is known. */
  packets?: number;
}
