import { Icon, type IconName } from './icon.tsx';
import { Popup, type PopupProps } from './popup.tsx';

export interface MenuItem {
  icon: IconName;
  label: string;
  act(): void;
  class?: string;
}

/** What can be done with something, in words. */
export function Menu({ items, onClose, ...popup }: Omit<PopupProps, 'children'> & { items: MenuItem[] }) {
  return (
    <Popup onClose={onClose} {...popup}>
      <ul class="menu">
        {items.map(({ icon, label, act, class: name }) => (
          <li key={label} class={name}>
            <button
              type="button"
              class="menu__item"
              onClick={() => {
                onClose();
                act();
              }}
            >
              <Icon name={icon} size={20} /> {label}
            </button>
          </li>
        ))}
      </ul>
    </Popup>
  );
}
