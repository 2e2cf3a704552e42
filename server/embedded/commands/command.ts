import type { Session } from '../auth/session.ts';
import { type Collection, namespaceOf } from '../storage/collection.ts';
import type { Engine } from '../storage/engine.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import type { CommandRequest } from '../wire/message.ts';

/** The reply of a command: a document, or one that is encoded already. */
type Reply = Doc | Uint8Array;

export interface Command {
  /** The fields that the command knows, besides those that every command may have. */
  fields: string[];
  /** It may run before the client has authenticated. */
  isOpen?: true;
  run(engine: Engine, request: CommandRequest, session: Session): Reply | Promise<Reply>;
}

/** The namespace of the collection that the command's first field names. */
export function targetOf({ name, database, body }: CommandRequest): string {
  return namespaceOf(database, body[name]);
}

/**
 * The collection that the command names.
 * @throws Fault NamespaceNotFound
 */
export function existing(engine: Engine, request: CommandRequest): Collection {
  const namespace = targetOf(request);
  const collection = engine.catalog.find(namespace);
  if (collection === undefined) throw new Fault(26, `ns does not exist: ${namespace}`);
  return collection;
}
