import { Sheet } from '../parts/sheet.tsx';
import { linkTo } from '../route.ts';
import { Finder } from './finder.tsx';
import { Person } from './person.tsx';

/** Finding somebody to write to. */
export function NewChat() {
  return (
    <Sheet title="New chat">
      <Finder>
        {(person) => (
          <a class="person" href={linkTo({ recipient_id: person._id })}>
            <Person person={person} />
          </a>
        )}
      </Finder>
    </Sheet>
  );
}
