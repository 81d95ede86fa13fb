/** What the capture executable tells of a start after a crash (native/capture/recovery.h). */
export interface Repair {
  repair: 'sealed' | 'removed' | 'index_made' | 'swept' | 'failed';
  /** Of the interface, and in it. */
  folder: string;
  file: string;
  packets?: number;
  kept_bytes?: number;
  cut_bytes?: number;
  lost_packets?: number;
  /** Why it failed. */
  error?: string;
}

export function repairText({ repair, folder, file, packets = 0, cut_bytes: cut = 0, lost_packets: lost = 0, error }: Repair): string {
  const path = `${folder}/${file}`;
  const loss = lost === 0 ? '' : `; ${quantity(lost, 'damaged packet')} left out`;
  switch (repair) {
    case 'sealed':
      return `repaired ${path}: ${quantity(packets, 'packet')} kept${cut === 0 ? '' : `, ${quantity(cut, 'unfinished byte')} cut`}${loss}`;
    case 'removed':
      return `repaired ${path}: it held no packet, and is removed${loss}`;
    case 'index_made':
      return `repaired ${path}: its index was missing, and is made`;
    case 'swept':
      return `repaired: ${path} belonged to nothing, and is removed`;
    case 'failed':
      return `${path} can not be repaired${error === undefined ? '' : `: ${error}`}; the rest is not touched by it`;
  }
}

const quantity = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
