/** What the contract says of receipts, applied one event after the other, as simply as can be. */

export interface ModelMessage {
  seq: number;
  /** Index of the sender. */
  sender: number;
  /** Those who are known to have read it. */
  readers: Set<number>;
}

export interface ModelMember {
  receipts: boolean;
  delivered: number;
  read: number;
  shownRead: number;
}

export interface MarkModel {
  messages: ModelMessage[];
  members: ModelMember[];
  send(sender: number): void;
  delivered(user: number, upTo: number): void;
  read(user: number, upTo: number): void;
  /** A pair's status of a message. */
  statusOf(message: ModelMessage): 'sent' | 'delivered' | 'read';
}

/** @param size two for a pair, more for a group */
export function createMarkModel(size: number): MarkModel {
  const messages: ModelMessage[] = [];
  const members = Array.from({ length: size }, () => ({ receipts: true, delivered: 0, read: 0, shownRead: 0 }));
  const isPair = size === 2;
  const deliver = (user: number, upTo: number) => {
    members[user]!.delivered = Math.max(members[user]!.delivered, upTo);
  };
  return {
    messages,
    members,
    send: (sender) => void messages.push({ seq: messages.length + 1, sender, readers: new Set() }),
    delivered: deliver,
    read(user, upTo) {
      const reader = members[user]!;
      const isShown = reader.receipts && (!isPair || members.every(({ receipts }) => receipts));
      for (const { seq, sender, readers } of messages) {
        const isNew = seq > reader.read && seq <= upTo && sender !== user;
        if (isNew && isShown && members[sender]!.receipts) readers.add(user);
      }
      if (isShown && upTo > reader.read) reader.shownRead = upTo;
      reader.read = Math.max(reader.read, upTo);
      deliver(user, upTo);
    },
    statusOf({ seq, sender, readers }) {
      if (readers.size > 0) return 'read';
      return seq <= members[1 - sender]!.delivered ? 'delivered' : 'sent';
    },
  };
}
