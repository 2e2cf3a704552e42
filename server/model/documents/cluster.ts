/** Work that must be done at some time, by whichever node is alive then. */
export interface JobDocument {
  /** The kind and key of the job. */
  _id: string;
  kind: string;
  /** Stored as it is, so it must hold no secrets. */
  payload: Record<string, string | number | boolean>;
  /** When the job is due; whoever claims it moves this on. */
  due_at: Date;
  attempts: number;
}

/** A server process that is running, or was. */
export interface NodeDocument {
  /** New at each start. */
  _id: string;
  /** The machine with its table of processes: whoever shares it can see whether `pid` still runs. */
  machine: string;
  pid: number;
  /** Grows while the node lives. */
  beat: number;
  seen_at: Date;
  /** Since when the node has been unable to tell others what it stores, if it is. */
  cut_off_at?: Date;
  /** Whether it takes part in what is divided by partitions. */
  shares_work?: true;
  /** Set once it was checked whether the node, which is dead, left summaries that are behind their messages. */
  summaries_checked?: true;
}

/** A part of the work that nodes share (`cluster/partitions.ts`), by its number, and whose it is, until when. */
export interface PartitionDocument {
  _id: number;
  node: string | null;
  until: Date;
  /** Every conversation of the partition that changed before is noted. */
  done_until?: Date;
}
