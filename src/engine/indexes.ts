/** What the engine knows of indexes: that a source may have one. Who keeps them decides where and how long. */

/** An index that fits its file at the moment. */
export interface FileIndex {
  /** Its descriptor; borrowed. */
  fd: number;
  /** The id that the index must name: that of the file with its present contents. */
  id: bigint;
  close(): Promise<void>;
}

export interface Indexes {
  /** The index of an open file (borrowed); null where there is none yet. Never rejects. */
  of(fd: number): Promise<FileIndex | null>;
}
