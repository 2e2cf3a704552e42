import type { Actors } from '../delivery/actors.ts';
import type { MessageDocument } from '../model/documents/messages.ts';

/** A message as it is being stored, and the socket that acts. */
export interface Acting {
  message: Pick<MessageDocument, '_id' | 'rev'>;
  socket: string | undefined;
}

/**
 * Delivery may find messages in the store before the bus tells of them. Until then it must know which sockets get an
 * acknowledgement instead of the event.
 * @param work stores the messages
 */
export async function whileActing<R>(
  actors: Pick<Actors, 'note' | 'forget'>,
  acting: readonly Acting[],
  work: () => Promise<R>,
): Promise<R> {
  const noted = acting.flatMap(({ message: { _id, rev }, socket }) =>
    socket === undefined ? [] : [{ id: _id.toHexString(), rev, socket }],
  );
  for (const { id, rev, socket } of noted) actors.note(id, rev, socket);
  try {
    return await work();
  } finally {
    for (const { id, rev } of noted) actors.forget(id, rev);
  }
}
