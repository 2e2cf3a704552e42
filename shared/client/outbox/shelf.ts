/** Where the items of an outbox are kept, so that they outlive the client. */
import type { Owned } from '../storage/owned.ts';
import type { Item } from './item.ts';

const PREFIX = 'outbox/';

export interface Shelf {
  /** @returns whether it is kept now */
  put(item: Item): Promise<boolean>;
  /** @returns whether it is gone now */
  remove(item: Item): Promise<boolean>;
  /** All items that are kept, in order. */
  read(): Promise<Item[]>;
}

export function createShelf(owned: Owned): Shelf {
  const keyOf = ({ order, id }: Item) => `${PREFIX}${order}-${id}`;
  return {
    put: (item) => owned.write(keyOf(item), item),
    remove: (item) => owned.remove(keyOf(item)),
    async read() {
      const items = await Promise.all((await owned.keys(PREFIX)).map((key) => owned.read<Item>(key)));
      return items.filter((item) => item !== undefined);
    },
  };
}
