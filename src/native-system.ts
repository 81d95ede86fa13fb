/** What the native addon offers of the system: locks, pipes and pages of memory. Part of native-contract.ts. */
/** flock(2), shared, without waiting, until the descriptor is closed. False where another process holds the file for itself. */
export declare function lockShared(fd: number): boolean;
/** The ends of a new pipe, to read and to write, which are the caller's; null where the system has none. */
export declare function openPipe(): [readEnd: number, writeEnd: number] | null;
/** F_SETPIPE_SZ; returns the size now in force, or -1 where `fd` is no pipe or refuses. */
export declare function setPipeSize(fd: number, bytes: number): number;
/**
 * Moves the first `lengthBytes` of a slot into the pipe `fd` without copying whole pages, and waits on a thread of
 * libuv's pool until the pipe has taken them. `slot` reaches to the end of a SharedArrayBuffer: whatever it held is undefined
 * afterwards, for pages that a pipe has are not the slot's any more. Resolves to 0 or an errno; EINVAL where `fd` is no
 * pipe, and then the slot is as it was.
 */
export declare function givePages(fd: number, slot: Uint8Array, lengthBytes: number): Promise<number>;
/** Asks for large pages (2 MiB) for a slot's memory, a hint; returns the offset in it of the first. */
export declare function adviseLargePages(memory: Uint8Array): number;
/** Gives the system the pages of a slot's memory back, which may hold anything afterwards; a hint. */
export declare function dropPages(memory: Uint8Array): void;
